import { changes } from './support/list/changes.js';
import { dev } from './support/suite.js';

changes(dev);

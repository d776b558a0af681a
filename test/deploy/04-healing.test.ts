import { healing } from './support/list/healing.js';
import { dev } from './support/suite.js';

healing(dev);

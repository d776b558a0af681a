import { isolated } from './support/list/isolation.js';
import { dev } from './support/suite.js';

isolated(dev);

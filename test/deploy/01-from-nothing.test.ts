import { fromNothing } from './support/list/from-nothing.js';
import { dev } from './support/suite.js';

fromNothing(dev);

import { destroyAndAgain } from './support/list/destroy-and-again.js';
import { dev } from './support/suite.js';

destroyAndAgain(dev);

import { canariesStayInTheirFiles } from './support/list/canaries.js';
import { dev } from './support/suite.js';

canariesStayInTheirFiles(dev);

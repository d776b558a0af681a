import { secretsStayInTheirFiles } from './support/list/secrets.js';
import { dev } from './support/suite.js';

secretsStayInTheirFiles(dev);

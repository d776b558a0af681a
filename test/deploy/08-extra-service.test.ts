import { extraService } from './support/list/extra-service.js';
import { dev } from './support/suite.js';

extraService(dev);

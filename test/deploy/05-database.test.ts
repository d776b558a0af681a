import { databaseIsClosed } from './support/list/database.js';
import { dev } from './support/suite.js';

databaseIsClosed(dev);

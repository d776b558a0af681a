import { olderDatabase } from './support/list/older-database.js';
import { dev } from './support/suite.js';

olderDatabase(dev);

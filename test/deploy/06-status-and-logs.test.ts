import { statusAndLogs } from './support/list/status-and-logs.js';
import { dev } from './support/suite.js';

statusAndLogs(dev);

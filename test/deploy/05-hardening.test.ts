import { hardened } from './support/list/hardening.js';
import { dev } from './support/suite.js';

hardened(dev);

import { smokeIsGreen, smokeIsRed } from './support/list/smoke.js';
import { dev } from './support/suite.js';

smokeIsGreen(dev);
smokeIsRed(dev);

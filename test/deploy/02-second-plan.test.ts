import { engineRestart, secondPlan } from './support/list/second-plan.js';
import { hostScript } from './support/project.js';
import { dev } from './support/suite.js';

secondPlan(dev);
engineRestart(dev, () => {
  hostScript('daemon', 'restart');
});

import { API_LIMITS, deployedApiLimits } from '../../../config/api-limits.js';
import { openApiDocument } from './openapi.js';

/** The description of an API with the default limits and the courses of `dev`, as it is committed. */
export function describedApi(): string {
  const usual = Object.fromEntries(Object.entries(API_LIMITS).map(([key, { usual }]) => [key, usual]));
  const limits = deployedApiLimits(usual as { [Key in keyof typeof API_LIMITS]: number });
  return `${JSON.stringify(openApiDocument({ courses: ['demo'], limits }), null, 2)}\n`;
}

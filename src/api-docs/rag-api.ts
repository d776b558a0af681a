import { API_LIMITS } from '../../config/api-limits.js';
import { openApiDocument } from '../apps/rag-api/openapi.js';
import { RagApiSettings } from '../apps/rag-api/settings.js';

/** The description of an API with the default limits and the courses of `dev`, as it is committed. */
export function describedApi(): string {
  const usual = Object.fromEntries(Object.entries(API_LIMITS).map(([key, { usual }]) => [key, usual]));
  const limits = RagApiSettings.shape.limits.parse(usual);
  return `${JSON.stringify(openApiDocument({ courses: ['demo'], limits }), null, 2)}\n`;
}

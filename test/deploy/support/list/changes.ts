import { describe, expect, test } from 'vitest';
import type { Deployment } from '../deployment.js';
import { until } from '../poll.js';

/** A changed setting replaces what it concerns, and nothing else. */
export function changes({ name, description, project, engine, sql, prometheus }: Deployment): void {
  const model = description.llm.service.replace('llm-', '');
  // Its data source says how far apart samples are.
  const readers = description.services.filter((service) => service === 'grafana');

  /** Deploy, and name the services whose containers are other ones than before. */
  async function replacedByDeploy(): Promise<string[]> {
    const before = await engine.containerIds();
    await project.deploy();
    const after = await engine.containerIds();
    await engine.allHealthy();
    const { code, stdout } = await project.plan();
    expect(code, stdout).toBe(0);
    return Object.keys(before).filter((service) => before[service] !== after[service]);
  }

  describe(`in ${name}`, () => {
    test('a changed sampling value replaces the RAG API alone', async () => {
      project.setSetting(['services', 'llm', model, 'sampling', 'maxTokens'], 24);

      expect(await replacedByDeploy()).toEqual(['rag-api']);
    });

    test('a changed PostgreSQL setting replaces PostgreSQL alone, and is in force', async () => {
      expect(await sql('SHOW work_mem')).toBe('16MB');
      project.setSetting(['services', 'postgres', 'settings', 'work_mem'], '8MB');

      expect(await replacedByDeploy()).toEqual(['postgres']);
      expect(await sql('SHOW work_mem')).toBe('8MB');
    });

    test('a changed scrape interval does not replace Prometheus, which reloads it', async () => {
      project.setSetting(['services', 'prometheus', 'scrapeInterval'], '5s');

      expect(await replacedByDeploy()).toEqual(readers);
      await until('Prometheus has reloaded', async () => {
        const { yaml } = await prometheus<{ yaml: string }>('status/config');
        return yaml.includes('scrape_interval: 5s');
      });
    });
  });
}

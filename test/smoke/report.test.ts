import { marked, type Tokens } from 'marked';
import { describe, expect, test } from 'vitest';
import { maskSecrets } from '../../src/apps/mask-secrets.js';
import type { CheckResult } from '../../src/apps/operator/smoke/protocol.js';
import { formatJunit } from '../../src/smoke/junit.js';
import { formatMarkdown } from '../../src/smoke/markdown.js';
import { type Evidence, Results, SmokeReport } from '../../src/smoke/report.js';
import { describeFailure, formatCheck, formatSummary } from '../../src/smoke/text.js';

const check = (service: string, name: string, changes: Partial<CheckResult> = {}): CheckResult => ({
  service,
  check: name,
  level: 'service',
  outcome: 'passed',
  seconds: 0.1,
  ...changes,
});
const failure = { outcome: 'failed', asked: 'GET /readyz', expected: '200', came: '503' } as const;
const HEAD = { environment: 'dev', level: 'path' as const, startedAt: '2026-11-22T10:00:00.000Z', seconds: 4.5 };
const NEEDS = new Map([
  ['rag-api', new Set(['qdrant', 'postgres'])],
  ['web-bot', new Set(['rag-api', 'qdrant', 'postgres'])],
]);
const plain = (_style: string, text: string) => text;

function report(
  results: readonly CheckResult[],
  logs: Readonly<Record<string, string[]>> = {},
  more: Partial<Evidence> = {},
): SmokeReport {
  const collected = new Results();
  for (const result of results) collected.add(result);
  return collected.report(HEAD, NEEDS, { logs: new Map(Object.entries(logs)), diagnoses: new Map(), ...more });
}

const BROKEN = report(
  [
    check('web-bot', 'answers in the chat', { level: 'path', outcome: 'skipped', came: 'qdrant failed' }),
    check('postgres', 'ready'),
    check('rag-api', 'ready', failure),
    check('qdrant', 'container', { ...failure, level: 'up', came: 'exited, <137> "& more"' }),
  ],
  { qdrant: ['last words', '\u001b[31mred\u0000'] },
);

describe('what was left out', () => {
  const collected = new Results();
  collected.add(check('qdrant', 'ready'));
  const left = collected.report({ ...HEAD, notAsked: [{ what: 'path', why: 'no collection' }] }, NEEDS);

  test('is no failure, and is told with its reason', () => {
    expect(left.ok).toBe(true);
    expect(SmokeReport.parse(left).notAsked).toEqual([{ what: 'path', why: 'no collection' }]);
    expect(formatSummary(left, plain)).toContain('not asked: path: no collection\n');
    expect(formatMarkdown(left)).toContain('Not asked: path: no collection.');
    const xml = formatJunit(left);
    expect(xml).toContain('tests="2" failures="0" skipped="1" errors="0"');
    expect(xml).toContain(
      '<testcase classname="not asked" name="path" time="0.000">\n      <skipped message="no collection"/>',
    );
  });
});

test('what a check itself says that it needs explains its failure, too', () => {
  const { checks } = report([
    check('embeddings', 'makes a vector', failure),
    check('qdrant', 'takes a document', { ...failure, level: 'path', because: ['embeddings'] }),
  ]);
  expect(checks.map(({ service, because }) => [service, because])).toEqual([
    ['embeddings', undefined],
    ['qdrant', ['embeddings']],
  ]);
});

describe('a report', () => {
  test('has causes before consequences, and both before what was not run, and what passed last', () => {
    expect(BROKEN.checks.map(({ service, outcome }) => `${service} ${outcome}`)).toEqual([
      'qdrant failed',
      'rag-api failed',
      'web-bot skipped',
      'postgres passed',
    ]);
    expect(BROKEN.checks[1]?.because).toEqual(['qdrant']);
    expect(BROKEN.checks[0]).not.toHaveProperty('because');
  });

  test('blames no other service for a failure that is a service’s own', () => {
    const results = new Results();
    results.add(check('web-bot', 'container', { ...failure, level: 'up', came: 'exited' }), true);
    results.add(check('web-bot', 'ready', failure));
    results.add(check('rag-api', 'streams an answer', { ...failure, level: 'path' }));
    const { checks } = results.report(HEAD, NEEDS);
    expect(checks.map(({ service, check, because }) => [service, check, because])).toEqual([
      ['web-bot', 'container', undefined],
      ['rag-api', 'streams an answer', undefined],
      ['web-bot', 'ready', ['rag-api']],
    ]);
  });

  test('is good when everything passed, and never with nothing', () => {
    expect(report([check('qdrant', 'ready')])).toMatchObject({
      ok: true,
      counts: { passed: 1, failed: 0, skipped: 0 },
    });
    expect(report([]).ok).toBe(false);
    expect(BROKEN).toMatchObject({ ok: false, counts: { passed: 1, failed: 1 + 1, skipped: 1 } });
    const skipped = check('qdrant', 'ready', { outcome: 'skipped' });
    expect(report([skipped]).ok).toBe(false);
  });

  test('takes the last word on a check', () => {
    const results = [check('qdrant', 'container'), check('qdrant', 'container', failure)];
    expect(report(results).checks).toMatchObject([{ outcome: 'failed' }]);
  });

  test('fits its schema, with the logs of failed checks', () => {
    expect(SmokeReport.parse(BROKEN)).toEqual(BROKEN);
    expect(BROKEN.checks.map(({ logs }) => logs !== undefined)).toEqual([true, false, false, false]);
  });
});

describe('as text', () => {
  test('a check is one line', () => {
    expect(formatCheck(check('qdrant', 'ready'), plain)).toMatch(/^ok {5} {2}qdrant {14}ready +0\.1 s$/);
    const failed = formatCheck(check('qdrant', 'ready', { ...failure, came: 'a\nb\u001b[2J' }), plain);
    expect(failed).toMatch(/^FAILED {3}qdrant .* ready .* a b\[2J$/);
  });

  test('a failure has what was asked, expected and what came, and the log once', () => {
    const twice = report([check('qdrant', 'container', failure), check('qdrant', 'ready', failure)], {
      qdrant: ['the cause'],
    });
    expect(formatSummary(twice, plain).match(/the cause/g)).toHaveLength(1);
    const text = formatSummary(BROKEN, plain);
    expect(text).toContain('qdrant: container\n    asked     GET /readyz\n    expected  200\n    came      exited');
    expect(text).toContain('    log       last words\n              [31mred');
    expect(text).toContain('rag-api: ready  (probably because of qdrant)');
    expect(text).toContain('dev does not answer as it should: 1 checks passed, 2 failed, 1 skipped, in 4.5 s');
  });

  test('one sentence names the cause', () => {
    expect(describeFailure(BROKEN)).toBe('2 checks failed: qdrant (container); with it: rag-api');
  });
});

describe('with a doctor', () => {
  const diagnosis = { id: 'disk-full', meaning: 'The disk of the engine is full.', remedy: '`docker system df`' };
  const diagnosed = report(
    [check('qdrant', 'container', failure), check('qdrant', 'ready', failure), check('rag-api', 'ready', failure)],
    {},
    { diagnoses: new Map([['qdrant', diagnosis]]) },
  );
  const helpless = report([check('qdrant', 'container', failure)], {}, { doctor: 'nothing in time' });

  test('every failed check of the service has what was said', () => {
    expect(diagnosed.checks.map((it) => it.diagnosis?.id)).toEqual(['disk-full', 'disk-full', undefined]);
    expect(SmokeReport.parse(diagnosed)).toEqual(diagnosed);
  });

  test('text, JUnit and Markdown show it', () => {
    const text = formatSummary(diagnosed, plain);
    expect(text).toContain(
      '    doctor    disk-full: The disk of the engine is full.\n              → `docker system df`',
    );
    expect(text.match(/disk-full/g)).toHaveLength(1);
    expect(formatJunit(diagnosed)).toContain(
      'doctor: disk-full: The disk of the engine is full.\ndo: `docker system df`',
    );
    expect(formatMarkdown(diagnosed)).toContain(
      'Doctor: **disk-full**. The disk of the engine is full.\n\nDo: `docker system df`',
    );
  });

  test('one that could not look says so everywhere', () => {
    for (const form of [formatSummary(helpless, plain), formatJunit(helpless), formatMarkdown(helpless)]) {
      expect(form).toMatch(/the doctor could not look: `?nothing in time/i);
    }
  });
});

describe('as Markdown', () => {
  const page = formatMarkdown(
    report(
      [
        check('qdrant', 'ready', { ...failure, came: '503 a|b `tick` <b>@team</b>\nnext' }),
        check('postgres', 'ready'),
        check('web-bot', 'ready', { outcome: 'skipped', came: 'qdrant failed' }),
      ],
      { qdrant: ['last words', '```', '<script>'] },
    ),
  );
  const tokens = marked.lexer(page);
  const html = marked.parser(tokens);

  test('says how it went, what was asked, expected and came, and lists all checks', () => {
    expect(page).toMatch(/^## ragdock smoke dev: does not answer as it should\n\n1 checks passed, 1 failed, 1 skipped/);
    const [first, all] = tokens.filter((token) => token.type === 'table') as Tokens.Table[];
    expect(first?.rows.map(([name]) => name?.text)).toEqual(['asked', 'expected', 'came']);
    expect(first?.rows.every((row) => row.length === 2)).toBe(true);
    expect(all?.rows).toHaveLength(3);
  });

  test('shows what came as it came, and nothing of it as a link, a mention or HTML', () => {
    expect(html).toContain('503 a|b `tick` &lt;b&gt;@team&lt;/b&gt; next');
    expect(html).not.toContain('<script>');
    expect(html).toContain('last words\n```\n&lt;script&gt;');
  });

  test('of a stack that answers is short', () => {
    const good = formatMarkdown(report([check('qdrant', 'ready')]));
    expect(good).toContain('## ragdock smoke dev: answers\n\n1 checks passed, 0 failed, in 4.5 s (level `path`).');
    expect(good).not.toContain('###');
  });
});

describe('as JUnit XML', () => {
  const xml = formatJunit(BROKEN);

  test('there is a suite for each service, with counts', () => {
    expect(xml).toContain('<testsuites name="ragdock smoke dev" tests="4" failures="2" skipped="1" errors="0"');
    expect(xml.match(/<testsuite /g)).toHaveLength(4);
    expect(xml).toContain('<testcase classname="postgres.service" name="ready" time="0.100"/>');
    expect(xml).toContain('<skipped message="qdrant failed"/>');
  });

  test('nothing in it can break it', () => {
    expect(xml).toContain('<failure message="exited, &lt;137&gt; &quot;&amp; more&quot;">');
    expect(xml).toContain('<system-out>last words\n\uFFFD[31mred\uFFFD</system-out>');
    // Every element that is opened is closed.
    const tags = [...xml.matchAll(/<(\/?)([a-z-]+)(?:\s[^<>]*?)?(\/?)>/g)];
    const open: string[] = [];
    for (const [, closing, name = '', empty] of tags) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!empty) open.push(name);
    }
    expect(open).toEqual([]);
  });
});

describe('a log', () => {
  const SECRET = 'p4ss+w/rd=very.long';

  test.each([
    [`login with ${SECRET} refused`, 'login with *** refused'],
    [`twice ${SECRET} ${SECRET}`, 'twice *** ***'],
    [`GET /?key=${encodeURIComponent(SECRET)} 401`, 'GET /?key=*** 401'],
    ['postgresql://rag_api:hunter2@host:5432/db', 'postgresql://rag_api:***@host:5432/db'],
    ['connect redis://:hunter2hunter2@cache:6379 failed', 'connect redis://:***@cache:6379 failed'],
    ['Authorization: Bearer abcdefgh.12345', 'Authorization: Bearer ***'],
    ['authorization: "Basic YWRtaW46aHVudGVyMg=="', 'authorization: "Basic ***"'],
    ['basic authorization is off', 'basic authorization is off'],
    [`ALTER ROLE rag_api PASSWORD 'something else'`, 'ALTER ROLE rag_api PASSWORD ***'],
    ['{"api-key":"abcdef123456","level":30}', '{"api-key":"***","level":30}'],
    ['QDRANT__SERVICE__API_KEY=abcdef123456', 'QDRANT__SERVICE__API_KEY=***'],
    ['token count: 12, no secret here', 'token count: 12, no secret here'],
  ])('%s is shown as %s', (text, masked) => {
    expect(maskSecrets(text, [SECRET])).toBe(masked);
  });

  test('a secret inside of a longer one does not uncover it', () => {
    expect(maskSecrets('abcdefgh-ijklmnop', ['abcdefgh', 'abcdefgh-ijklmnop'])).toBe('***');
  });

  test('the beginning of a value is one where the text was cut inside of it', () => {
    expect(maskSecrets('401 unknown: abcdefgh-ijk…', ['abcdefgh-ijklmnop'])).toBe('401 unknown: ***…');
    expect(maskSecrets('401 unknown: abcdefgh-ijk', ['abcdefgh-ijklmnop'])).toBe('401 unknown: abcdefgh-ijk');
  });

  test('an empty or tiny value masks nothing', () => {
    expect(maskSecrets('a log of all', ['', 'a'])).toBe('a log of all');
  });
});

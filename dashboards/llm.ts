import { QueryVariableBuilder, VariableRefresh, VariableSort } from '@grafana/grafana-foundation-sdk/dashboard';
import { Percent, PercentUnit, RequestsPerSecond, Seconds, Short } from '@grafana/grafana-foundation-sdk/units';
import { dashboard, type PanelBuilder, timeSeries } from './dashboard.js';
import {
  DCGM_METRICS as GPU,
  LLAMA_CPP_METRICS as LLAMA,
  RAG_API_METRICS as RAG,
  VLLM_METRICS as VLLM,
} from './metrics.js';
import { gauge, observations, observed, orElse, quantile, rate, sum } from './promql.js';
import { DATA_SOURCE, type Dashboard } from './provisioned.js';

/** A model server is known by what it measures: its job may have any name. */
const MODEL_SERVERS = `{__name__=~"${gauge(VLLM.running)}|${gauge(LLAMA.processing)}"}`;
const JOB = 'job=~"$job"';
const VLLM_ONLY = 'Only vLLM reports this';

/**
 * The model servers. vLLM measures more than llama.cpp; where the latter has no latency of its own, the RAG API's
 * stands in, which holds the way to the server as well.
 */
export function llm({ gpus }: { readonly gpus: boolean }): Dashboard {
  return dashboard({
    uid: 'ragdock-llm',
    title: 'Language models',
    description: 'The model servers: how fast they answer, how much they have to do, and what goes wrong.',
    variables: [modelVariable()],
    rows: [
      { title: 'Requests', panels: [requestRate(), errorRate(), scheduler()] },
      { title: 'Latency', panels: [firstToken(), endToEnd(), outputToken()] },
      { title: 'Tokens', panels: [tokens(), cachedPrompt(), finishReasons()] },
      { title: 'Engine', panels: [kvCache(), preemptions(), ...(gpus ? [gpuUtilization()] : [])] },
    ],
  });
}

function modelVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder('job')
    .label('Model server')
    .datasource(DATA_SOURCE)
    .query(`label_values(${MODEL_SERVERS}, job)`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

function requestRate(): PanelBuilder {
  return timeSeries({
    title: 'Requests finished',
    description:
      'In a second, by model server. llama.cpp does not count requests; there it is the questions of the RAG API.',
    unit: RequestsPerSecond,
    queries: [
      { expr: sum(rate(VLLM.finished, JOB), 'job'), legend: '{{job}}' },
      { expr: sum(rate(RAG.requests)), legend: 'questions to the RAG API' },
    ],
  });
}

function errorRate(): PanelBuilder {
  const ofServer = `${sum(rate(VLLM.finished, `${JOB}, finished_reason=~"error|abort"`))} / ${sum(rate(VLLM.finished, JOB))}`;
  const ofApi = `${sum(rate(RAG.requests, 'outcome="error"'))} / ${sum(rate(RAG.requests))}`;
  return timeSeries({
    title: 'Error rate',
    description:
      'Share of requests that ended in an error or because the client was gone; without vLLM, of questions to the RAG API that ended in an error.',
    unit: PercentUnit,
    max: 1,
    queries: [{ expr: orElse(ofServer, ofApi), legend: 'errors' }],
  });
}

function scheduler(): PanelBuilder {
  return timeSeries({
    title: 'Running and waiting',
    description:
      'Requests that are being answered, and those that wait for their turn. A queue that stays needs another server or less work.',
    unit: Short,
    queries: [
      {
        expr: orElse(sum(gauge(VLLM.running, JOB), 'job'), sum(gauge(LLAMA.processing, JOB), 'job')),
        legend: '{{job}} running',
      },
      {
        expr: orElse(sum(gauge(VLLM.waiting, JOB), 'job'), sum(gauge(LLAMA.deferred, JOB), 'job')),
        legend: '{{job}} waiting',
      },
    ],
  });
}

function firstToken(): PanelBuilder {
  return timeSeries({
    title: 'Time to the first token',
    description: 'How long a user looks at an empty answer. Without vLLM as the RAG API measures it.',
    unit: Seconds,
    queries: [0.5, 0.95, 0.99].map((share) => ({
      expr: orElse(quantile(share, VLLM.firstToken, JOB), quantile(share, RAG.firstToken)),
      legend: `p${share * 100}`,
    })),
  });
}

function endToEnd(): PanelBuilder {
  return timeSeries({
    title: 'Time of a whole answer',
    description: 'Long answers take longer, so look at it beside the tokens. Without vLLM as the RAG API measures it.',
    unit: Seconds,
    queries: [0.5, 0.95, 0.99].map((share) => ({
      expr: orElse(quantile(share, VLLM.endToEnd, JOB), quantile(share, RAG.endToEnd)),
      legend: `p${share * 100}`,
    })),
  });
}

function outputToken(): PanelBuilder {
  const ofVllm = `${sum(observed(VLLM.interToken, JOB), 'job')} / ${sum(observations(VLLM.interToken, JOB), 'job')}`;
  const ofLlamaCpp = `${sum(rate(LLAMA.generationSeconds, JOB), 'job')} / ${sum(rate(LLAMA.generationTokens, JOB), 'job')}`;
  return timeSeries({
    title: 'Time for one more token',
    description:
      'Mean time between two tokens of an answer. People read about 5 words in a second: 0.15 s keeps up with them.',
    unit: Seconds,
    queries: [{ expr: orElse(ofVllm, ofLlamaCpp), legend: '{{job}}' }],
  });
}

function tokens(): PanelBuilder {
  return timeSeries({
    title: 'Tokens in a second',
    description: 'Tokens of prompts that were read, and of answers that were written.',
    unit: Short,
    queries: [
      {
        expr: orElse(sum(rate(VLLM.promptTokens, JOB), 'job'), sum(rate(LLAMA.promptTokens, JOB), 'job')),
        legend: '{{job}} prompt',
      },
      {
        expr: orElse(sum(rate(VLLM.generationTokens, JOB), 'job'), sum(rate(LLAMA.generationTokens, JOB), 'job')),
        legend: '{{job}} answer',
      },
    ],
  });
}

function cachedPrompt(): PanelBuilder {
  return timeSeries({
    title: 'Prompt tokens from the cache',
    description: 'Share of the prompts that need not be computed, because an earlier prompt began in the same way.',
    unit: PercentUnit,
    max: 1,
    noValue: VLLM_ONLY,
    queries: [
      {
        expr: `${sum(rate(VLLM.promptTokensCached, JOB), 'job')} / ${sum(rate(VLLM.promptTokens, JOB), 'job')}`,
        legend: '{{job}}',
      },
    ],
  });
}

function finishReasons(): PanelBuilder {
  return timeSeries({
    title: 'Why answers ended',
    description:
      '`length` cuts an answer off: raise the limit of tokens, or ask for less. `abort` is a client that was gone.',
    unit: RequestsPerSecond,
    noValue: VLLM_ONLY,
    queries: [{ expr: sum(rate(VLLM.finished, JOB), 'finished_reason'), legend: '{{finished_reason}}' }],
  });
}

function kvCache(): PanelBuilder {
  return timeSeries({
    title: 'Use of the KV cache',
    description: 'Near 1, new requests wait, and running ones are put off.',
    unit: PercentUnit,
    max: 1,
    noValue: VLLM_ONLY,
    queries: [{ expr: gauge(VLLM.kvCache, JOB), legend: '{{job}}' }],
  });
}

function preemptions(): PanelBuilder {
  return timeSeries({
    title: 'Requests put off',
    description: 'In a second. Each of them is computed anew later: the KV cache is too small for what runs at once.',
    unit: RequestsPerSecond,
    noValue: VLLM_ONLY,
    queries: [{ expr: sum(rate(VLLM.preemptions, JOB), 'job'), legend: '{{job}}' }],
  });
}

function gpuUtilization(): PanelBuilder {
  return timeSeries({
    title: 'GPU utilization',
    description: 'Of all cards of the host, also of those that no model server uses.',
    unit: Percent,
    max: 100,
    queries: [{ expr: gauge(GPU.utilization), legend: 'GPU {{gpu}} ({{modelName}})' }],
  });
}

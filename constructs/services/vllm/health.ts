/**
 * Asks `/health`; the image has no curl. With a second argument it also wants progress, because `/health` says 200 while
 * the engine stands still: requests that run or wait, and no token read or written for so many seconds, are a failure.
 * What it saw last is in a file, for the next check to compare with.
 */
export const HEALTH = `
import json, sys, time, urllib.request
STATE = '/tmp/ragdock-progress.json'
def get(path):
    with urllib.request.urlopen(sys.argv[1] + path, timeout=4) as answer:
        return answer.read().decode()
get('/health')
if len(sys.argv) > 2:
    open_requests = tokens = 0.0
    for line in get('/metrics').splitlines():
        name, _, value = line.rpartition(' ')
        name = name.partition('{')[0]
        if name in ('vllm:num_requests_running', 'vllm:num_requests_waiting'):
            open_requests += float(value)
        elif name in ('vllm:iteration_tokens_total_sum', 'vllm:prompt_tokens_total', 'vllm:generation_tokens_total'):
            tokens += float(value)
    now = time.time()
    try:
        with open(STATE) as file:
            before = json.load(file)
    except (OSError, ValueError):
        before = None
    if not before or not open_requests or not before['open'] or before['tokens'] != tokens or before['since'] > now:
        before = {'open': open_requests, 'tokens': tokens, 'since': now}
        with open(STATE, 'w') as file:
            json.dump(before, file)
    silent = now - before['since']
    if silent > float(sys.argv[2]):
        sys.exit('open requests: %d, and no token came for %d s' % (open_requests, silent))
`.trim();

"""Holds a streamed conversation by OpenAI's client, and says as JSON what it got.

Arguments: base address, key, model, then the questions.
"""

import json
import sys

import openai


def ask(client, model, messages):
    stream = client.chat.completions.create(
        model=model,
        messages=messages,
        user="Иван",
        stream=True,
        stream_options={"include_usage": True},
        temperature=0.1,
    )
    turn = {"text": "", "reasons": [], "usage": None}
    for event in stream:
        if event.usage:
            turn["usage"] = event.usage.total_tokens
        for choice in event.choices:
            turn["text"] += choice.delta.content or ""
            if choice.finish_reason:
                turn["reasons"].append(choice.finish_reason)
    return turn


def failure(call):
    try:
        call()
    except openai.APIStatusError as error:
        return {"kind": type(error).__name__, "status": error.status_code, "code": error.code, "param": error.param}
    except openai.APIError as error:
        return {"kind": type(error).__name__, "code": error.code}
    return None


def main(base_url, key, model, *questions):
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    messages, turns = [], []
    for question in questions:
        messages.append({"role": "user", "content": question})
        turns.append(ask(client, model, messages))
        messages.append({"role": "assistant", "content": turns[-1]["text"]})
    whole = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": questions[0]}]
    )
    other = openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0)
    print(
        json.dumps(
            {
                "models": [one.id for one in client.models.list()],
                "turns": turns,
                "whole": whole.parse().choices[0].message.content,
                "exchange": whole.headers["x-exchange-id"],
                "failures": [
                    failure(lambda: other.models.list()),
                    failure(lambda: ask(client, "gpt-4", messages[:1])),
                    failure(lambda: ask(client, model, [])),
                    failure(lambda: ask(client, model, [{"role": "user", "content": "BREAK OFF"}])),
                ],
            },
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

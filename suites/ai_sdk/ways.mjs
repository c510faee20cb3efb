// The AI SDK on its Anthropic provider: one documented way after the other, by name. Prints one line of JSON for each.
import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import assert from "node:assert/strict";
import { z } from "zod";

const anthropic = createAnthropic({ baseURL: `${process.env.BASE_URL}/v1`, apiKey: "any" });
const model = anthropic("claude-haiku-4-5");
const town = z.object({ name: z.string(), people: z.number() });

const weather = (called) =>
  tool({
    description: "Tells the weather.",
    inputSchema: z.object({ town: z.string() }),
    execute: async ({ town }) => (called.push(town), "rain"),
  });

const ways = {
  async text() {
    const { text, usage, finishReason } = await generateText({ model, prompt: "hello" });
    assert.ok(text && usage.outputTokens > 0);
    assert.equal(finishReason, "stop");
  },
  async stream() {
    const answer = streamText({ model, prompt: "hello" });
    const pieces = [];
    for await (const piece of answer.textStream) pieces.push(piece);
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join(""), await answer.text);
  },
  async object() {
    const { output } = await generateText({ model, prompt: "Which town?", output: Output.object({ schema: town }) });
    town.parse(output);
  },
  async tool() {
    const called = [];
    const { text } = await generateText({
      model,
      prompt: "What is the weather in 'Bern'?",
      tools: { get_weather: weather(called) },
      stopWhen: stepCountIs(3),
    });
    assert.deepEqual(called, ["Bern"]);
    assert.match(text, /1 tool result/);
  },
  async tool_in_a_stream() {
    const called = [];
    const answer = streamText({
      model,
      prompt: "What is the weather in 'Bern'?",
      tools: { get_weather: weather(called) },
      stopWhen: stepCountIs(3),
    });
    const kinds = [];
    for await (const part of answer.fullStream) kinds.push(part.type);
    assert.deepEqual(called, ["Bern"]);
    for (const kind of ["tool-input-start", "tool-call", "tool-result", "text-delta"]) assert.ok(kinds.includes(kind), kind);
    assert.ok(!kinds.includes("error"));
  },
  async thinking() {
    const providerOptions = { anthropic: { thinking: { type: "enabled", budgetTokens: 2000 } } };
    const { text, reasoningText } = await generateText({ model, prompt: "[[think]]", providerOptions });
    assert.ok(text && reasoningText);
  },
  async picture() {
    const data = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
    const content = [{ type: "text", text: "What is this?" }, { type: "file", mediaType: "image/png", data }];
    const { text } = await generateText({ model, messages: [{ role: "user", content }] });
    assert.ok(text);
  },
  async refusal() {
    const { finishReason } = await generateText({ model, prompt: "[[refuse]]" });
    assert.equal(finishReason, "content-filter");
  },
  async error() {
    await assert.rejects(generateText({ model, prompt: "[[error]]", maxRetries: 0 }), { statusCode: 500 });
  },
};

const only = process.argv[2];
await ways[only]();

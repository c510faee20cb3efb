// Every call of files and batches by Anthropic's own client for TypeScript: what a program does, with its assertions.
//
//     node files_and_batches.mjs PACKAGE URL
//
// PACKAGE is the folder of the installed package. Each answer that came goes to the output as a line of JSON, for the
// test that started this to judge; an assertion that does not hold ends it with a status other than 0.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [folder, baseURL] = process.argv.slice(2);
const { Anthropic, BadRequestError, NotFoundError, toFile } = await import(pathToFileURL(`${folder}/index.mjs`).href);

const client = new Anthropic({ baseURL, apiKey: "sk-of-a-client", maxRetries: 0, fetch: recorded });
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const MODEL = "claude-sonnet-5-5";

async function recorded(url, init) {
  const answer = await fetch(url, init);
  const told = { status: answer.status, type: answer.headers.get("content-type"), body: await answer.clone().text() };
  console.log(JSON.stringify({ method: init.method ?? "GET", path: new URL(url).pathname, ...told }));
  return answer;
}

function asked(custom_id, content, more = {}) {
  return { custom_id, params: { model: MODEL, max_tokens: 500, messages: [{ role: "user", content }], ...more } };
}

async function over(id) {
  for (;;) {
    const batch = await client.messages.batches.retrieve(id);
    if (batch.processing_status === "ended") return batch;
  }
}

async function all(pages) {
  const found = [];
  for await (const one of pages) found.push(one);
  return found;
}

async function files() {
  const made = [];
  for (const at of [0, 1, 2, 3, 4]) {
    const file = await toFile(Buffer.from(`text ${at}`), `${at}.txt`, { type: "text/plain" });
    made.unshift(await client.files.upload({ file, expires_in_seconds: 3600 }));
  }
  const [newest] = made;
  assert.deepEqual([newest.filename, newest.mime_type, newest.size_bytes], ["4.txt", "text/plain", 6]);
  assert.deepEqual(await client.files.retrieveMetadata(newest.id), newest);
  assert.deepEqual((await all(client.files.list({ limit: 2 }))).map((file) => file.id), made.map((file) => file.id));
  const chosen = await all(client.files.list({ ids: [made[3].id, "file_none"] }));
  assert.deepEqual(chosen.map((file) => file.id), [made[3].id]);
  const beta = { betas: ["files-api-2025-04-14"] };
  const old = { headers: { "anthropic-beta": beta.betas[0] } };
  const after = await client.get(`/v1/files?limit=2&after_id=${made[1].id}`, old);
  assert.deepEqual([after.data.map((file) => file.id), after.has_more], [[made[2].id, made[3].id], true]);
  const before = await client.get(`/v1/files?limit=2&before_id=${made[3].id}`, old);
  assert.deepEqual([before.data.map((file) => file.id), before.has_more], [[made[1].id, made[2].id], true]);
  await assert.rejects(client.files.download(newest.id), (told) => told instanceof BadRequestError);
  for (const file of made.slice(1)) assert.equal((await client.files.delete(file.id)).type, "file_deleted");
  await assert.rejects(client.files.retrieveMetadata(made[1].id), NotFoundError);
  return newest;
}

const TOOL = { name: "odd.name", input_schema: { type: "object", properties: { a: { type: "string" } } } };
const SCHEMA = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
};

function mixed(file) {
  const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: PICTURE } };
  const paper = { type: "document", source: { type: "file", file_id: file.id } };
  return [
    asked("text", "[[text]]"),
    asked("other-model", "[[text]]", { model: "claude-haiku-5-5" }),
    asked("tool", "Use it.", { tools: [TOOL], tool_choice: { type: "tool", name: TOOL.name } }),
    asked("image", [picture, { type: "text", text: "What is it?" }]),
    asked("file", [paper, { type: "text", text: "What is it?" }]),
    asked("thinking", "[[think]]", { thinking: { type: "adaptive" } }),
    asked("structured", "Who?", { output_config: { format: { type: "json_schema", schema: SCHEMA } } }),
    asked("stopped", "[[say one two three]]", { stop_sequences: ["two"] }),
    asked("wrong", "Hello", { max_tokens: "many" }),
    asked("streamed", "Hello", { stream: true }),
  ];
}

async function batches(file) {
  const api = client.messages.batches;
  const requests = mixed(file);
  const made = await api.create({ requests });
  assert.deepEqual([made.processing_status, made.results_url], ["in_progress", null]);
  const done = await over(made.id);
  assert.deepEqual([done.request_counts.succeeded, done.request_counts.errored], [requests.length - 2, 2]);
  const found = new Map((await all(await api.results(made.id))).map((one) => [one.custom_id, one.result]));
  assert.deepEqual([...found.keys()].sort(), requests.map((one) => one.custom_id).sort());
  const said = (id) => found.get(id).message.content.at(-1);
  assert.match(said("text").text, /^Hello/);
  assert.equal(found.get("other-model").message.model, "claude-haiku-5-5");
  assert.deepEqual([said("tool").type, said("tool").name], ["tool_use", TOOL.name]);
  assert.equal(found.get("image").message.stop_reason, "end_turn");
  assert.equal(found.get("file").message.stop_reason, "end_turn");
  assert.deepEqual(found.get("thinking").message.content.map((block) => block.type), ["thinking", "text"]);
  assert.ok(found.get("thinking").message.content[0].signature);
  assert.equal(typeof JSON.parse(said("structured").text).name, "string");
  const stopped = found.get("stopped").message;
  assert.deepEqual([stopped.stop_reason, stopped.stop_sequence, said("stopped").text], ["stop_sequence", "two", "one "]);
  for (const id of ["wrong", "streamed"]) assert.equal(found.get(id).error.error.type, "invalid_request_error");
  await cancelled(api);
  await pages(api, made.id);
  assert.equal((await api.delete(made.id)).type, "message_batch_deleted");
  await assert.rejects(api.results(made.id), NotFoundError);
}

async function cancelled(api) {
  const requests = [...Array(30).keys()].map((at) => asked(`r${at}`, "[[batch-held 1]] [[silence 0.3]]"));
  const { id } = await api.create({ requests });
  await assert.rejects(api.delete(id), BadRequestError);
  await assert.rejects(api.results(id));
  const told = await api.cancel(id);
  assert.equal(told.processing_status, "canceling");
  assert.ok(told.cancel_initiated_at);
  const done = await over(id);
  assert.ok(done.request_counts.canceled > 0);
  const ends = (await all(await api.results(id))).map((one) => one.result.type);
  assert.equal(ends.length, requests.length);
  assert.equal(ends.filter((end) => end === "canceled").length, done.request_counts.canceled);
}

async function pages(api, oldest) {
  for (const at of [0, 1, 2]) await over((await api.create({ requests: [asked(`p${at}`, "[[text]]")] })).id);
  const ids = (await all(api.list({ limit: 2 }))).map((batch) => batch.id);
  assert.deepEqual([ids.length, ids.at(-1)], [5, oldest]);
  const after = await api.list({ limit: 1, after_id: ids[1] });
  assert.deepEqual([after.data[0].id, after.has_more, after.hasNextPage()], [ids[2], true, true]);
  const before = await api.list({ limit: 2, before_id: ids[3] });
  assert.deepEqual([before.data.map((batch) => batch.id), before.has_more], [[ids[1], ids[2]], true]);
}

async function made() {
  const tools = [{ type: "code_execution_20250825", name: "code_execution" }];
  const run = (content) => client.messages.create({ ...asked("", content).params, tools });
  const named = (message) =>
    message.content.filter((block) => block.type === "code_execution_tool_result").flatMap((block) => block.content.content);
  const [file] = named(await run("[[code a.csv]]"));
  assert.equal((await client.files.retrieveMetadata(file.file_id)).downloadable, true);
  assert.equal(await (await client.files.download(file.file_id)).text(), "a.csv by the emulator\n");
  const [gone] = named(await run("[[code-expired a.csv]]"));
  await assert.rejects(client.files.download(gone.file_id), (told) => told.errorCode === "file_expired");
}

await batches(await files());
await made();

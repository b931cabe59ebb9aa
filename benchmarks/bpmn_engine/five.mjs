// Play five user tasks in a sequence, saving and restoring at each step; print milliseconds per run.
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { Engine } from "bpmn-engine";

const source = readFileSync(process.argv[2], "utf8");
const rounds = Number(process.argv[3]);

function waiting(emitter) {
  return new Promise((resolve) => emitter.once("activity.wait", resolve));
}

async function play() {
  let emitter = new EventEmitter();
  let engine = new Engine({ name: "five", source });
  let asked = waiting(emitter);
  await engine.execute({ listener: emitter });
  await asked;
  for (let step = 0; step < 5; step += 1) {
    const state = JSON.parse(JSON.stringify(await engine.getState()));
    await engine.stop();
    engine = new Engine().recover(state);
    emitter = new EventEmitter();
    asked = waiting(emitter);
    const ended = step === 4 ? engine.waitFor("end") : null;
    const execution = await engine.resume({ listener: emitter });
    await asked;
    const next = step === 4 ? ended : waiting(emitter);
    execution.getPostponed()[0].signal();
    await next;
  }
}

await play();
const taken = [];
for (let round = 0; round < rounds; round += 1) {
  const started = performance.now();
  await play();
  taken.push(performance.now() - started);
}
taken.sort((a, b) => a - b);
console.log(taken[Math.floor(taken.length / 2)]);

// The commands of CLI for Microsoft 365 that an administrator of a partner's tenant
// uses, in one process by the package's own API. Every step says what it was and how
// it ended; one that fails does not keep the next from being tried. The last line is
// "ok N" or "FAILED: …".
import { executeCommand } from '@pnp/cli-microsoft365';
import { steps } from './steps.mjs';

const only = process.env.ONLY ? new RegExp(process.env.ONLY) : null;
const kept = {}; // what earlier steps made
const commands = new Set();
const failures = [];
const asks = / (remove|clear|restore|revoke|disable)$/; // would ask whether it is meant
const say = (e) => (e?.error?.message ?? e?.message ?? e?.error ?? String(e)).toString().replaceAll('\n', ' ').slice(0, 300);

async function step({ run, with: options = {}, keep, want = () => true, refused }) {
  if (only && run !== 'login' && !keep && !only.test(run)) return;
  const given = typeof options === 'function' ? options(kept) : options;
  let out;
  try {
    const r = await executeCommand(run, { output: 'json', ...(asks.test(run) ? { force: true } : {}), ...given });
    out = r.stdout ? JSON.parse(r.stdout) : null;
  } catch (e) {
    if (refused?.test(say(e))) {
      commands.add(run);
      return;
    }
    throw new Error(say(e));
  }
  if (refused) throw new Error('was not refused');
  if (!want(out, kept)) throw new Error(`answered ${JSON.stringify(out)?.slice(0, 300)}`);
  if (keep) kept[keep] = out;
  commands.add(run);
}

for (const s of steps(process.env)) {
  const started = Date.now();
  try {
    await step(s);
    console.log(`done ${s.run} ${Date.now() - started} ms`);
  } catch (e) {
    failures.push(`${s.run}: ${say(e)}`);
    console.log(`FAILED ${s.run}: ${say(e)}`);
    if (s.run === 'login') break;
  }
}
console.log(failures.length ? `FAILED: ${failures.length} of ${commands.size + failures.length}: ${failures[0]}` : `ok ${commands.size}`);
process.exit(failures.length ? 1 : 0);

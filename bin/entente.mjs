#!/usr/bin/env node
// Launcher, in plain JavaScript for any Node from 16 on: finds a Node that can run the sources and starts it with
// capped heaps. Where the system allows, it becomes that process, so that a signal, kill -9 included, meets the
// daemon itself. Elsewhere it stays as parent: signals and the exit code are passed on, and a channel tells the
// child when the launcher is gone.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileFirst } from './compile-first.mjs';
import { NODE_FLAGS, nodeEnvironment } from './flags.mjs';

const NEEDED = [24, 15];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const node = findNode();
if (node === undefined) {
  process.stderr.write(
    `entente needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}, and the pinned one is not installed.\n` +
      `Run "npm ci" in ${root} (without --omit=optional), or start it with a newer Node.\n`,
  );
  process.exitCode = 2;
} else {
  start(node);
}

function findNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return process.execPath;
  try {
    // In a clone it lies below, in an installed package beside.
    const manifest = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/package.json`);
    const pinned = join(dirname(manifest), 'bin', 'node');
    return existsSync(pinned) ? pinned : undefined;
  } catch {
    return undefined; // not installed, which is said below
  }
}

/** The sources of a clone; an installed package has built ones, because Node strips no types under node_modules. */
function mainFile() {
  const source = join(root, 'src', 'main.ts');
  return existsSync(source) ? source : join(root, 'dist', 'src', 'main.js');
}

function start(file) {
  // Simulators hold what a partner and a SIEM would hold; caps are for the daemon and its commands.
  const simulating = process.argv[2] === 'simulate' || process.argv[2] === 'demo';
  const flags = simulating ? NODE_FLAGS.filter((flag) => !flag.includes('-space-size')) : NODE_FLAGS;
  const main = mainFile();
  const args = [...flags, main, ...process.argv.slice(2)];
  const env = nodeEnvironment(root, process.env);
  // Only the daemon is there long enough to gain by it. What is built has no types to strip.
  if (process.argv[2] === 'run' && main.endsWith('.ts')) compileFirst(file, NODE_FLAGS, dirname(main), env);
  if (typeof process.execve === 'function') {
    process.removeAllListeners('warning'); // execve announces itself as experimental
    process.on('warning', () => {});
    process.execve(file, [file, ...args], env);
  }
  const child = spawn(file, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`entente: cannot start ${file}: ${error.message}\n`);
    process.exitCode = 70;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code === null ? 70 : code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

// What a release is made of, in one folder: the installable package, its bill of materials (CycloneDX), and the checksums
// of both. `npm run release -- FOLDER`. Nothing is published.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(process.argv[2] ?? join(root, 'release'));
mkdirSync(folder, { recursive: true });
if (readdirSync(folder).length > 0) {
  process.stderr.write(`${folder} is not empty: a release is made in a folder of its own\n`);
  process.exit(2);
}
const run = (program, args, cwd) =>
  execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
  });
const npm = (...args) => run('npm', args, root);

// In a copy of the sources: packing builds dist/ anew, and another packing, or whoever runs what it built, is in the way.
const copy = mkdtempSync(join(tmpdir(), 'entente-release-'));
try {
  const beside = new Set(['.git', 'node_modules', 'dist', 'release', relative(root, folder)]);
  cpSync(root, copy, { recursive: true, filter: (path) => !beside.has(relative(root, path)) });
  symlinkSync(realpathSync(join(root, 'node_modules')), join(copy, 'node_modules'));
  // The copy is of the same commit, and as changed as these are.
  if (existsSync(join(root, '.git')))
    writeFileSync(join(copy, '.git'), `gitdir: ${run('git', ['rev-parse', '--absolute-git-dir'], root).trim()}\n`);
  run('npm', ['pack', '--silent', '--pack-destination', folder], copy);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
// From the lock file: what is installed where it is made is not what stands in the release.
const bill = JSON.parse(npm('sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'));
// With `--omit dev` npm 11 leaves out `yaml` too, which a development tool names as well; so the lock file says what runs.
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const runs = new Set(
  Object.entries(packages).flatMap(([path, one]) =>
    path === '' || one.dev === true ? [] : [`${path.split('node_modules/').at(-1)}@${one.version}`],
  ),
);
bill.components = bill.components.filter((one) => runs.has(one['bom-ref'].split('|').at(-1)));
const kept = new Set([bill.metadata.component['bom-ref'], ...bill.components.map((one) => one['bom-ref'])]);
bill.dependencies = bill.dependencies
  .filter((one) => kept.has(one.ref))
  .map((one) => ({ ...one, dependsOn: (one.dependsOn ?? []).filter((ref) => kept.has(ref)) }));
// npm takes the name of the folder it is in.
bill.metadata.component = { ...bill.metadata.component, name, type: 'application' };
writeFileSync(join(folder, `${name}-${version}.cdx.json`), `${JSON.stringify(bill, null, 2)}\n`);

const sums = readdirSync(folder)
  .sort()
  .map(
    (file) =>
      `${createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex')}  ${file}\n`,
  );
writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
process.stdout.write(`${folder}:\n${sums.join('')}`);

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const HERE = join(import.meta.dirname, '..');
const { scripts } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8')) as { scripts: { types: string } };

test('schema.d.ts is what the generator makes of openapi.json', () => {
	const [, ...options] = scripts.types.split(' ');
	const generator = join(HERE, 'node_modules/openapi-typescript/bin/cli.js');
	const done = spawnSync(process.execPath, [generator, ...options, '--check'], { cwd: HERE, encoding: 'utf8' });
	assert.equal(done.status, 0, `${done.stderr}run \`./run types\` and commit what it writes`);
});

#!/usr/bin/env node
// Formats the C++ sources with clang-format; with --check it changes nothing and fails where a file is not formatted.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2);
const check = options.includes('--check');
if (options.some((option) => option !== '--check')) {
  console.error('usage: node scripts/format-native.mjs [--check]');
  process.exit(2);
}

const files = ['native', 'training/bdc_training/fused/kernels']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, file)))
  .filter((file) => /\.(h|cc)$/.test(file))
  .sort();
const mode = check ? ['--dry-run', '--Werror'] : ['-i'];
const { error, status } = spawnSync('clang-format', [...mode, ...files], { cwd: root, stdio: 'inherit' });
if (error?.code === 'ENOENT') {
  console.error('clang-format is missing: sudo apt install clang-format');
  process.exit(2);
}
if (error) throw error;
process.exit(status ?? 1);

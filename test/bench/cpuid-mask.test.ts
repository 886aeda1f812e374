import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { maskedEnvironment, toHide } from '../../bench/cpuid/mask.js';
import { supportedIsas } from '../../src/engine/native.js';

/** Prints whether CPUID names AVX2, AVX-512F and AVX-VNNI. */
const LIBRARY = `
#include <cpuid.h>
#include <stdio.h>
void tell(void) {
  unsigned a, b, c, d, a1, b1, c1, d1;
  __cpuid_count(7, 0, a, b, c, d);
  __cpuid_count(7, 1, a1, b1, c1, d1);
  printf("%u %u %u", b >> 5 & 1, b >> 16 & 1, a1 >> 4 & 1);
}`;

describe('Hiding instruction sets from a library', () => {
  it('leaves those that the instruction set asked for lacks', () => {
    const all = ['portable', 'avx2', 'avx-vnni', 'avx512', 'amx'] as const;
    assert.deepEqual(toHide('amx', all), []);
    assert.deepEqual(toHide('avx512', all), ['amx']);
    assert.deepEqual(toHide('avx-vnni', all), ['amx', 'avx512']);
    assert.deepEqual(toHide('avx2', all), ['amx', 'avx512', 'avx-vnni']);
    assert.deepEqual(toHide('avx2', ['portable', 'avx2']), []);
  });

  it('answers CPUID without them', async function () {
    if (!supportedIsas().includes('avx2') || spawnSync('objdump', ['--version']).status !== 0) {
      console.log('      (needs a processor with AVX2, and objdump)');
      return this.skip();
    }
    const folder = await mkdtemp(join(tmpdir(), 'masked-'));
    try {
      const [source, main] = [join(folder, 'tell.c'), join(folder, 'main.c')];
      await writeFile(source, LIBRARY);
      await writeFile(main, 'void tell(void); int main(void) { tell(); return 0; }');
      const [library, program] = [join(folder, 'libtell.so'), join(folder, 'program')];
      execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
      execFileSync('cc', [
        '-o',
        program,
        main,
        '-L',
        folder,
        '-ltell',
        '-Wl,--enable-new-dtags',
        `-Wl,-rpath,${folder}`,
      ]);
      const tell = (environment: Record<string, string>): string =>
        execFileSync(program, { encoding: 'utf8', env: { ...process.env, ...environment } });
      const [, avx512 = '', vnni = ''] = tell({}).split(' ');
      const masked = maskedEnvironment(library, ['avx512', 'avx-vnni'], join(folder, 'masked'));
      assert.equal(tell(masked), '1 0 0');
      assert.equal(tell({ ...masked, MASKED_CPUID: 'avx512' }), `1 0 ${vnni}`);
      assert.equal(tell({ ...masked, MASKED_CPUID: 'avx-vnni' }), `1 ${avx512} 0`);
      assert.equal(tell({ ...masked, MASKED_CPUID: '' }), `1 ${avx512} ${vnni}`);
      const strange = spawnSync(program, { encoding: 'utf8', env: { ...masked, MASKED_CPUID: 'sse9' } });
      assert.match(strange.stderr, /expected some of amx avx512 avx-vnni; found 'sse9'/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

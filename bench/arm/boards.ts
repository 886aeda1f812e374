import type { Core } from './core-model.js';

export interface Board {
  readonly name: string;
  readonly core: string;
  /** Clock. */
  readonly gigahertz: number;
  /** Of the memory, at most, 10⁹ bytes a second: width × transfers, as the makers state them. */
  readonly memory: number;
  /** The CPU that qemu takes the part of: it decides which kernels are chosen. */
  readonly emulated: string;
  readonly model: Core;
}

/** Everything that the addon may hold can be read; what runs was chosen by the emulated CPU. */
const aarch64 = (cpu: string): Core => ({ triple: 'aarch64', cpu, attributes: '+v8.2a,+dotprod' });

/** LLVM's model of Cortex-A76 is that of A57; Neoverse N1 is the A76 for servers. */
export const BOARDS: readonly Board[] = [
  {
    name: 'Raspberry Pi 5',
    core: 'Cortex-A76',
    gigahertz: 2.4,
    memory: 17.1,
    emulated: 'cortex-a76',
    model: aarch64('neoverse-n1'),
  },
  {
    name: 'Raspberry Pi 4',
    core: 'Cortex-A72',
    gigahertz: 1.8,
    memory: 12.8,
    emulated: 'cortex-a72',
    model: aarch64('cortex-a72'),
  },
  {
    name: 'RK3568 boards',
    core: 'Cortex-A55',
    gigahertz: 2.0,
    memory: 12.8,
    // qemu 7.2 has no A55; it has the same instructions as an A76.
    emulated: 'cortex-a76',
    model: aarch64('cortex-a55'),
  },
];

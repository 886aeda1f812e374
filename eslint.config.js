import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Rooms that a room in src/ may import from; docs/architecture.md draws the picture. */
const mayImport = {
  geometry: [],
  messages: ['geometry', 'perception', 'engine'],
  engine: [],
  perception: ['engine', 'geometry'],
  picture: ['perception', 'engine', 'geometry'],
  bag: ['messages', 'perception', 'geometry'],
  dataset: ['perception', 'geometry'],
  simulation: ['bag', 'dataset', 'messages', 'perception', 'geometry', 'engine'],
  evaluation: ['dataset', 'perception', 'engine', 'geometry'],
  expectation: ['messages'],
  ros: ['bag', 'expectation', 'messages', 'perception', 'engine', 'geometry'],
  cli: [
    'ros',
    'bag',
    'dataset',
    'simulation',
    'evaluation',
    'expectation',
    'picture',
    'messages',
    'perception',
    'engine',
    'geometry',
  ],
};

const zones = Object.entries(mayImport).map(([room, others]) => ({
  target: `./src/${room}`,
  from: './src',
  except: [`./${room}`, './errors.ts', './atomic-file.ts', ...others.map((other) => `./${other}`)],
  message: `src/${room} may import only from: ${others.join(', ') || 'nothing of ours'}`,
}));

export default tseslint.config(
  { ignores: ['dist', 'build', 'out', 'node_modules', '.venv*', 'coverage'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver': { node: { extensions: ['.ts', '.js'] } } },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' },
    },
  },
);

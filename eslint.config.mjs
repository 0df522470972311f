// @ts-check
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// The measures of docs/ARCHITECTURE.md §Measures: a limit reached is a sign that a thing does two things.
const measures = {
  'max-lines': ['error', { max: 300 }],
  'max-lines-per-function': ['error', { max: 50 }],
  'max-params': 'off',
  '@typescript-eslint/max-params': ['error', { max: 4 }],
  complexity: ['error', 12],
};

// They would put forms on the disk or into memory, past all bounds; at run time requests do not have them (platform/http/multipart.ts).
const savesForms = ['saveRequestFiles', 'cleanRequestFiles', 'savedRequestFiles', 'tmpUploads', 'formData'].map(
  (property) => ({ property, message: 'Read the one file of a form as a stream: @UploadedFile() or uploadOf().' }),
);

export default defineConfig(
  globalIgnores(['dist', 'dist.*', 'coverage', 'node_modules']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...measures,
      '@typescript-eslint/consistent-type-imports': 'off', // it would turn DI constructor imports into types
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
  {
    // A constructor's parameters are its dependencies: Nest's DI needs them all there, and a service has at most six.
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/max-params': ['error', { max: 6 }],
      'no-restricted-properties': ['error', ...savesForms],
    },
  },
  {
    files: ['test/**/*.ts', '**/*.spec.ts'],
    rules: {
      'max-lines-per-function': 'off', // a describe block is one function
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);

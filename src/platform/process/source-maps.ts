import module from 'node:module';

/**
 * Stack traces name our TypeScript. Only our own files' maps are read: with `--enable-source-maps` Node reads those of every
 * library too and keeps 40 MB of them. Must be imported before what it is to serve; without effect before Node 22.14.
 */
module.setSourceMapsSupport?.(true, { nodeModules: false, generatedCode: false });

import { setFlagsFromString } from 'node:v8';

/*
 * How V8 collects in a server. V8 reads these once, at its first collections: this is loaded before all else.
 */

/** As long as V8 can count: 24 days in which nothing happens. */
const NEVER_MS = 2_147_483_647;

/*
 * After some seconds of rest V8 would collect everything it can: with it the shapes of objects of which none is left at the
 * moment, and the compiled code that was made for them. The first minute of traffic after a rest then takes half as much CPU
 * again for each request (measured with the gateway, docs/BENCHMARKS-GATEWAY.md). What a rest would give back is some 100 MB.
 */
setFlagsFromString(`--gc-memory-reducer-start-delay-ms=${NEVER_MS}`);

/*
 * V8 would collect the whole heap for each 64 MB of buffers that have come and gone, which bodies of requests reach many times a
 * second; counted with the heap, they are collected when together they have grown in proportion.
 */
setFlagsFromString('--external-memory-accounted-in-global-limit');

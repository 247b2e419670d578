// A real OpenSearch without its security plugin, from Maven artifacts.
import { QUICK_JVM, type ScriptPeer, startScript } from './script-peer.ts';

const start = (shared: boolean): Promise<ScriptPeer> =>
  startScript({ script: 'opensearch.sh', prefix: 'OPENSEARCH', options: [], env: QUICK_JVM, shared });

/** A server of its own, empty. */
export const startOpensearch = (): Promise<ScriptPeer> => start(false);

/** The server that all files of a run share; the run ends it. A file removes its indices before and after itself. */
export const sharedOpensearch = (): Promise<ScriptPeer> => start(true);

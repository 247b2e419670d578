// A real OpenSearch without its security plugin, from Maven artifacts.
import { freePort, type ScriptPeer, startScript } from './script-peer.ts';

export interface OpensearchOptions {
  /** Drop data that an earlier run left. Default true. */
  readonly fresh?: boolean;
}

export async function startOpensearch({ fresh = true }: OpensearchOptions = {}): Promise<ScriptPeer> {
  return startScript('opensearch.sh', 'OPENSEARCH', await freePort(9270), fresh ? ['--fresh'] : []);
}

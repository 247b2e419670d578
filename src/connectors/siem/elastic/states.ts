// Refusals that are about the index or the cluster and not about what was sent: nothing written there would be taken.
// They are a matter for a person, whatever status they come with, and go on by themselves once mended.

export interface State {
  /** Constant word, as in Failure. */
  readonly code: string;
  readonly remedy: string;
}

const CLOSED = 'the index is closed; open it (POST /<index>/_open), or delete it to have it made anew';

export function stateOf(type: string, reason: string): State | undefined {
  // It comes under a type that says nothing, `exception`.
  if (reason.includes("'search.allow_expensive_queries' is set to false"))
    return {
      code: 'expensive_queries',
      remedy: 'the cluster forbids what reading needs; set search.allow_expensive_queries back to true',
    };
  switch (type) {
    case 'cluster_block_exception':
      // A cluster that starts, or elects a master, blocks everything for a moment: busy, and nothing for a person.
      if (/SERVICE_UNAVAILABLE\//.test(reason) && !/(FORBIDDEN|TOO_MANY_REQUESTS)\//.test(reason)) return undefined;
      return { code: type, remedy: blockRemedy(reason) };
    // OpenSearch's word where all disks are above the high watermark.
    case 'index_create_block_exception':
      return { code: type, remedy: blockRemedy(reason) };
    case 'index_closed_exception':
      return { code: type, remedy: CLOSED };
    case 'strict_dynamic_mapping_exception':
      return { code: type, remedy: 'its mapping is not ours; delete the index to have it made anew' };
    case 'validation_exception':
      if (!/maximum (normal |frozen )?shards open/.test(reason)) return undefined;
      return { code: 'shard_limit', remedy: 'remove indices, or raise cluster.max_shards_per_node' };
    case 'illegal_argument_exception':
      if (/pipeline with id \[.*\] does not exist/.test(reason))
        return {
          code: 'pipeline_missing',
          remedy: 'create it, or take index.default_pipeline and final_pipeline off the index',
        };
      if (/only write ops with an op_type of create are allowed in data streams/.test(reason))
        return { code: 'data_stream', remedy: 'it must be a plain index, not a data stream; choose another index' };
      if (/no write index is defined for alias/.test(reason))
        return { code: 'no_write_index', remedy: 'name one of the indices behind the alias as its write index' };
      return undefined;
    default:
      return undefined;
  }
}

/** The reason names the block: `[FORBIDDEN/8/index write (api)]`. One of the whole cluster is not mended at the index. */
function blockRemedy(reason: string): string {
  const found = BLOCKS.find(([said]) => said.test(reason));
  return found?.[1] ?? 'remove the block that the reason names';
}

const BLOCKS: readonly (readonly [RegExp, string])[] = [
  [
    /cluster read-only \/ allow delete/,
    'free disk space or remove the block on the whole cluster (cluster.blocks.read_only_allow_delete)',
  ],
  [/cluster read-only \(api\)/, 'the whole cluster is read-only; remove cluster.blocks.read_only'],
  [/create-index blocked/, 'the cluster makes no index; free disk space or remove cluster.blocks.create_index'],
  [
    /flood-stage|read-only-allow-delete|read-only \/ allow delete/,
    'free disk space or remove the block (index.blocks.read_only_allow_delete)',
  ],
  [/index write \(api\)/, 'the index is under a write block; remove index.blocks.write'],
  [/index read \(api\)/, 'the index is under a read block; remove index.blocks.read'],
  [/index metadata \(api\)/, 'the index is under a metadata block; remove index.blocks.metadata'],
  [/index closed/, CLOSED],
  [/read-only \(api\)/, 'the index is read-only; remove index.blocks.read_only'],
];

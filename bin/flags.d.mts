export declare const NODE_FLAGS: readonly string[];
export declare function nodeEnvironment(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv;

export * from '../model/failure.ts';

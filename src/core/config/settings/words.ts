// What settings of several subjects are made of.
import { z } from 'zod';
import { PAP_LEVELS, TLP_LEVELS } from '../../model/marking.ts';
import { checkCron } from '../../runtime/scheduler.ts';

/** A message that is a whole sentence, not only what is allowed. */
export const wrong = (message: string) => ({ code: 'custom', message, params: { sentence: true } }) as const;

export const cron = () =>
  z.string().superRefine((text, context) => {
    const problem = checkCron(text);
    if (problem !== undefined) context.addIssue(wrong(problem));
  });

export const days = () => z.number().positive().max(36_500);
export const tlp = () => z.enum(TLP_LEVELS);
export const pap = () => z.enum(PAP_LEVELS);

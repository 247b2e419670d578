import { siemContract } from './siem.ts';
import { splunkHarness } from './splunk-harness.ts';

siemContract('Splunk, own lookups', splunkHarness('lookups'));
siemContract('Splunk 9.0 with its smaller limits', splunkHarness('lookups', { version: '9.0.4' }));
siemContract("Splunk, Enterprise Security's threat collections", splunkHarness('threat_intel'));

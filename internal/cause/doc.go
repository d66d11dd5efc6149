// Package cause finds what to do first: not the symptoms of a report but what
// stands behind them. A cause in the settings is computed, not guessed: the
// change is made to a copy of the tenant's settings, proved over all sign-ins and
// rehearsed on the recorded ones. It reads no files and no clock.
package cause

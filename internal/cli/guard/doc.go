// Package guard has the commands that hand out tokens and refuse them: exec, token,
// policy and serve; those that let into the web console, and mfa,
// our provider of External MFA.
package guard

// Package guard has the commands that hand out tokens and refuse them: exec, token,
// policy and serve; those that let into the web console; mfa, our provider of External
// MFA with its people; otp, the application for one-time passwords; the mail bridge with
// the passwords of its devices: bridge and apppassword; gateway,
// which lets nobody in without the MFA claim; fraud, which answers Microsoft's
// alerts about Azure fraud and stops attacks; and of spending status, and budgets, which
// sets what warns of it; gateway, which lets nobody in front of a partner's own tools
// without the MFA claim. Of delegation it has what asks Microsoft: probe.
package guard

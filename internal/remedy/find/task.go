package find

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/remedy"
)

// elsewhere is what meets a requirement that no policy decides: another command that does
// it, or what a person does. It is long because it is a table.
func elsewhere(u *Unmet) Choice {
	again := "partnerguard assess"
	for _, row := range []struct {
		id, way, command, task, check string
	}{
		{"secure-application-model", "Capture each integration's consent anew with MFA", "partnerguard connect", "", again},
		{"automation-without-user-credentials", "Take scripts off stored passwords", "partnerguard automation", "", again},
		{"third-party-mfa-claim", "Move the provider from the custom control to External MFA", "partnerguard mfa register-with-entra --plan", "",
			"partnerguard prove"},
		{"third-party-mfa-exception", "Replace what the exception was given for", "partnerguard mfa register-with-entra --plan", "", again},
		{"security-contact", "Name a security contact", "",
			"In Partner Center open Account settings, Security contact, and name one accountable person with an address that is read", again},
		{"security-alerts-answered", "Answer the alerts that wait", "partnerguard fraud list", "", "partnerguard fraud list"},
		{"azure-fraud-watch", "Stop what is abused, then answer the alert", "partnerguard fraud contain", "", "partnerguard fraud list"},
		{"app-passwords", "Take app passwords away", "",
			"In the MFA service settings (account.activedirectory.windowsazure.com/UserManagement/MfaSettings.aspx) choose \"Do not allow users to create " +
				"app passwords\"; put the bridge before devices that used one: partnerguard bridge", "partnerguard apppassword decide"},
		{"modern-authentication-clients", "Upgrade the clients that the assessment names", "",
			"Upgrade each mail client that is named by partnerguard assess, or move its account to Outlook on the web", again},
		{"no-dap", "Move customers from DAP to GDAP", "partnerguard delegation plan", "", "partnerguard delegation list"},
		{"inactive-dap", "Remove DAP that nobody uses", "partnerguard delegation plan", "", "partnerguard delegation list"},
		{"gdap-least-privilege", "Give the staff the least roles that their work needs", "partnerguard delegation plan --to least", "",
			"partnerguard delegation unused"},
		{"customer-admin-mfa", "Have MFA turned on for customers' administrators", "",
			"In each customer that is named by partnerguard assess, ask every administrator for MFA: security defaults, or a policy with Entra ID P1", again},
		{"customer-spending-budget", "Put a budget on every Azure customer", "partnerguard budgets plan", "", "partnerguard spend status"},
		{"entra-id-p2-admin-agents", "Buy what is missing", "", "Assign Entra ID P2 to each member of the admin agents", again},
		{"privileged-identity-management", "Give privileged roles on request alone", "",
			"In Privileged Identity Management make each permanent assignment eligible, but for two break-glass accounts; then remove the " +
				"permanent one", again},
		{"sign-in-log-access", "Let the sign-in log be read", "", "Buy Entra ID P1 for one account at least, and consent to AuditLog.Read.All", again},
	} {
		if row.id == u.ID {
			return Choice{Way: row.way, Command: row.command, Task: row.task, Check: row.check}
		}
	}
	if len(u.Steps) > 0 || u.Command != "" { // a practice
		steps := u.toDo()
		task := strings.Join(append(u.briefly(), steps...), "; ")
		return Choice{Way: cmp.Or(u.Action, strings.Join(steps, "; "), u.Title), Command: u.Command, Task: task, Check: cmp.Or(u.Check, again)}
	}
	c := Choice{Way: u.Action, Task: u.Action, Check: again}
	if c.Way == "" {
		c.Way, c.Task = u.Reason, u.Reason
	}
	return c
}

// briefly names what the steps are about, in a line of a list.
func (u *Unmet) briefly() (out []string) {
	const most = 3
	for _, a := range u.About[:min(len(u.About), most)] {
		out = append(out, remedy.About+a.Name)
	}
	if more := u.More + max(len(u.About)-most, 0); more > 0 {
		out = append(out, fmt.Sprintf("%s%d more, by %s", remedy.About, more, cmp.Or(u.Check, "partnerguard practices "+u.ID)))
	}
	return out
}

// toDo is what a person does for a practice; that they give their word is told of by itself.
func (u *Unmet) toDo() []string {
	return slices.DeleteFunc(slices.Clone(u.Steps), func(s string) bool { return s == u.Settles })
}

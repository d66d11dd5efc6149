//go:build !judge

package inquiry

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/lenient"
)

// auditRow is Graph's directoryAudit, and what a diagnostic setting makes of it.
type auditRow struct {
	ID        lenient.String       `json:"id"`
	At        lenient.Time         `json:"activityDateTime"`
	Time      lenient.Time         `json:"time"`
	Activity  lenient.String       `json:"activityDisplayName"`
	Operation lenient.String       `json:"operationName"`
	Result    lenient.String       `json:"result"`
	By        initiator            `json:"initiatedBy"`
	Targets   lenient.List[target] `json:"targetResources"`
	Inner     json.RawMessage      `json:"properties"`
}

type initiator struct {
	User struct {
		ID  lenient.String `json:"id"`
		UPN lenient.String `json:"userPrincipalName"`
		IP  lenient.String `json:"ipAddress"`
	} `json:"user"`
	App struct {
		ID      lenient.String `json:"appId"`
		SP      lenient.String `json:"servicePrincipalId"`
		Display lenient.String `json:"displayName"`
	} `json:"app"`
}

// UnmarshalJSON takes an object, also one within a text.
func (i *initiator) UnmarshalJSON(b []byte) error {
	type plain initiator
	return object(b, (*plain)(i))
}

type target struct {
	ID       lenient.String         `json:"id"`
	UPN      lenient.String         `json:"userPrincipalName"`
	Name     lenient.String         `json:"displayName"`
	Type     lenient.String         `json:"type"`
	Modified lenient.List[modified] `json:"modifiedProperties"`
}

type modified struct {
	Name lenient.String `json:"displayName"`
	New  lenient.String `json:"newValue"`
}

// parseAudit reads a row of the directory's audit log.
func parseAudit(raw []byte) (*auditRow, error) {
	r := &auditRow{}
	if err := decode(raw, r); err != nil {
		return nil, err
	}
	if inner := inText(r.Inner); r.Activity == "" && len(inner) > 0 && inner[0] == '{' { // a diagnostic setting's envelope
		in := &auditRow{}
		if err := decode(inner, in); err != nil {
			return nil, err
		}
		in.Time, in.Operation = r.Time, r.Operation
		r = in
	}
	if r.Activity == "" {
		r.Activity = r.Operation
	}
	if !r.At.Set {
		r.At = r.Time
	}
	if !r.At.Set {
		return nil, errNoTime
	}
	if r.Activity == "" {
		return nil, errNoAct
	}
	return r, nil
}

// value is the new value of a property that the row says was changed, of any target.
func (r *auditRow) value(name string) string {
	for i := range r.Targets.Items[:min(len(r.Targets.Items), 20)] {
		for _, m := range r.Targets.Items[i].Modified.Items {
			if strings.EqualFold(string(m.Name), name) {
				return strings.Trim(string(m.New), `"`)
			}
		}
	}
	return ""
}

// identityAct is what an act of the directory's audit log is, by its activity's name.
type identityAct struct {
	kind   ThingKind
	key    string // of the reason
	words  string // "gave %s a new credential"
	strong bool
}

// identityActs are the acts that matter, by a part of their lower-case name; the first that
// fits counts. Names are Microsoft's (Entra audit activity reference).
var identityActs = []struct {
	part string
	identityAct
}{
	{"certificates and secrets management", identityAct{Credential, "newCredential", "gave the app %s a credential", true}},
	{"add service principal credentials", identityAct{Credential, "newCredential", "gave the app %s a credential", true}},
	{"update application credentials", identityAct{Credential, "newCredential", "gave the app %s a credential", true}},
	{"federated identity credential", identityAct{Credential, "newCredential", "had the app %s trust another issuer", true}},
	{"consent to application", identityAct{Consent, "newConsent", "consented to the app %s", true}},
	{"add delegated permission grant", identityAct{Consent, "newConsent", "gave the app %s permissions", true}},
	{"add app role assignment to service principal", identityAct{Consent, "newConsent", "gave the app %s permissions of its own", true}},
	{"elevate", identityAct{RoleGiven, "elevated", "took access to all of Azure (%s)", true}},
	{"remove member from role", identityAct{RoleGiven, "", "took a directory role from %s", false}},
	{"member to role", identityAct{RoleGiven, "newRole", "gave %s a directory role", true}},
	{"deleted security info", identityAct{Method, "methodChanged", "removed a method of MFA of %s", true}},
	{"registered security info", identityAct{Method, "methodChanged", "registered a method of MFA for %s", true}},
	{"security info", identityAct{Method, "methodChanged", "changed the methods of MFA of %s", true}},
	{"strong authentication", identityAct{Method, "methodChanged", "changed MFA of %s", true}},
	{"reset password", identityAct{Method, "passwordReset", "reset the password of %s", false}},
	{"reset user password", identityAct{Method, "passwordReset", "reset the password of %s", false}},
	{"change password", identityAct{Method, "passwordReset", "changed the password of %s", false}},
	{"invite external user", identityAct{Account, "newAccount", "invited %s", false}},
	{"add user", identityAct{Account, "newAccount", "made the account %s", false}},
	{"conditional access policy", identityAct{"", "policyChanged", "changed the policy %s", false}},
	{"security defaults", identityAct{"", "policyChanged", "changed security defaults (%s)", false}},
}

// identityOf finds what an activity is; false where it does not matter here.
func identityOf(activity string) (identityAct, bool) {
	activity = strings.ToLower(activity)
	for _, a := range identityActs {
		if strings.Contains(activity, a.part) {
			return a.identityAct, true
		}
	}
	return identityAct{}, false
}

// riskyUser and riskDetection are Identity Protection's (contracts.md section 3.10).
type riskyUser struct {
	ID    lenient.String `json:"id"`
	UPN   lenient.String `json:"userPrincipalName"`
	Level lenient.String `json:"riskLevel"`
	State lenient.String `json:"riskState"`
	At    lenient.Time   `json:"riskLastUpdatedDateTime"`
}

type riskDetection struct {
	ID       lenient.String `json:"id"`
	User     lenient.String `json:"userId"`
	UPN      lenient.String `json:"userPrincipalName"`
	Event    lenient.String `json:"riskEventType"`
	Level    lenient.String `json:"riskLevel"`
	State    lenient.String `json:"riskState"`
	At       lenient.Time   `json:"detectedDateTime"`
	Acted    lenient.Time   `json:"activityDateTime"`
	IP       lenient.String `json:"ipAddress"`
	Location struct {
		Country lenient.String `json:"countryOrRegion"`
	} `json:"location"`
}

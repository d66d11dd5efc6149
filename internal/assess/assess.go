package assess

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
)

// Options say for whom and as of when facts are judged.
type Options struct {
	AsOf   time.Time    // required: the moment of judgement
	Kind   partner.Kind // zero means direct-bill
	Cloud  partner.Cloud
	Sample bool // the embedded sample partner
	// Engine is the facts' tenant compiled, where the caller has it already; nil
	// compiles it here.
	Engine *access.Engine
	// Disagreements between settings and log, found by replaying the log; they
	// are shown with the report.
	Disagreements []Evidence
	// Automation is what was found of scripts and services that sign in with user
	// credentials; nil says that nobody looked, and then it is unknown.
	Automation *Automation
	// Delegation is what the customers' logs say of delegated rights; nil says that
	// nobody looked.
	Delegation *Delegation
	// Dates are Microsoft's dated changes with whom they hit here; they are shown
	// with the report, and decide nothing.
	Dates []partner.Outlook
}

// Automation is the list of scripts and services that sign in with user
// credentials. Which sign-ins count as such is not decided here.
type Automation struct {
	Items []AutomationItem
	// Incomplete says, in a sentence, why there may be more; "" when there are not.
	Incomplete string
}

// AutomationItem is one of them.
type AutomationItem struct {
	Account string // user id in lower case, else user principal name
	// Sure: it decides the requirement. Otherwise a person has to look, and the
	// requirement cannot be met.
	Sure     bool
	Evidence Evidence
}

// assessor holds what the rules share while one report is made.
type assessor struct {
	*facts.Facts
	o        Options
	accounts []Account
	index    map[string]int   // lower-case id or UPN -> position in accounts
	enforced []*access.Policy // enabled Conditional Access policies, by name
	roles    map[string][]directory.HeldRole
	ages     *facts.Ages
	vouches  []Vouch
	engine   *access.Engine // nil when the settings are not known
	proofs   map[string]*access.Proof
	covers   map[string]cover // lower-case account id -> cover
	closed   []string         // groups that hold roles and whose members are not in the export

	rolesKnown    bool           // the role assignments were read
	rolesPartly   bool           // there is more of a list of roles than was read
	fromLog       []evidence.Cut // lists that the log proves not to be whole
	recorded      []without      // by Partner Center; see withoutMFA
	disagreements []Evidence     // found by the judges, between two sources
}

// ruling is what a rule's judge answers.
type ruling struct {
	verdict  Verdict
	reason   string
	affected int
	total    int
	action   string
	evidence []Evidence
	// relies are the lists that the verdict rests on: all of them were read to
	// their ends, or it is unknown. heeds are lists that could only speak against
	// it: they need not be there, but half of one will not do.
	relies, heeds []evidence.Kind
	// against says of an unknown that something read speaks against it, so that
	// nobody's word can stand in its place.
	against bool
	// by and until are of a verdict that is attested already.
	by, until string
}

// judges holds one judge per rule of the book; a test keeps the two equal.
var judges = map[string]func(*assessor) ruling{
	"mfa-every-user":                          (*assessor).mfaEveryUser,
	"mfa-every-sign-in":                       (*assessor).mfaEverySignIn,
	"secure-application-model":                (*assessor).secureApplicationModel,
	"automation-without-user-credentials":     (*assessor).automation,
	"legacy-authentication":                   (*assessor).legacyAuthentication,
	"third-party-mfa-claim":                   (*assessor).thirdPartyClaim,
	"third-party-mfa-exception":               (*assessor).thirdPartyException,
	"mfa-admin-roles":                         (*assessor).mfaAdminRoles,
	"security-contact":                        (*assessor).securityContact,
	"security-alerts-answered":                (*assessor).alertsAnswered,
	"security-defaults-or-conditional-access": (*assessor).defaultsOrPolicies,
	"app-passwords":                           (*assessor).appPasswords,
	"modern-authentication-clients":           (*assessor).modernClients,
	"no-dap":                                  (*assessor).noDAP,
	"inactive-dap":                            (*assessor).inactiveDAP,
	"gdap-least-privilege":                    (*assessor).gdapLeastPrivilege,
	"azure-fraud-watch":                       (*assessor).fraudWatch,
	"customer-admin-mfa":                      (*assessor).customerAdminMFA,
	"customer-spending-budget":                (*assessor).spendingBudget,
	"entra-id-p2-admin-agents":                (*assessor).premiumP2,
	"privileged-identity-management":          (*assessor).rolesOnRequest,
	"risk-based-access":                       (*assessor).riskPolicies,
	"sign-in-log-access":                      (*assessor).logAccess,
}

// newAssessor makes what the judges of one report share.
func newAssessor(f *facts.Facts, o Options) *assessor {
	if o.Kind == "" {
		o.Kind = partner.DirectBill
	}
	if o.Cloud == "" {
		o.Cloud = partner.Public
	}
	o.AsOf = o.AsOf.UTC()
	a := &assessor{Facts: f, o: o, rolesPartly: f.RolesPartly(), rolesKnown: f.RolesKnown(), fromLog: f.CutsFromLog(),
		ages: f.Ages()}
	a.roles, a.closed = f.Directory.RolesByPrincipal()
	for _, p := range f.Policies {
		if p.Enforced() {
			a.enforced = append(a.enforced, p)
		}
	}
	sort.Slice(a.enforced, func(i, j int) bool {
		return a.enforced[i].DisplayName+a.enforced[i].ID < a.enforced[j].DisplayName+a.enforced[j].ID
	})
	a.compileSettings()
	a.accounts = a.allAccounts()
	a.indexAccounts()
	a.vouched()

	return a
}

// Assess judges the facts by the rule book. It is pure: equal facts and
// options give equal reports.
func Assess(f *facts.Facts, o Options) *Report {
	a := newAssessor(f, o)
	o = a.o
	r := &Report{
		Schema: SchemaID, AsOf: o.AsOf, Sample: o.Sample, RuleBook: partner.Revised.String(),
		Partner:    Partner{Kind: string(o.Kind), Cloud: string(o.Cloud)},
		Incomplete: []string{}, Disagreements: append([]Evidence{}, o.Disagreements...), Accounts: a.accounts, Inputs: f.Inputs, SignIns: a.signIns(),
		Score: a.scoreView(), Age: a.evidenceAge(),
		Dates: append([]partner.Outlook{}, o.Dates...),
	}
	if len(f.Directory.Organizations) > 0 {
		org := f.Directory.Organizations[0]
		r.Partner.TenantID, r.Partner.DisplayName = directory.Key(org.ID, org.TenantID), org.DisplayName
	}
	for _, rule := range partner.Book() {
		r.Requirements = append(r.Requirements, a.require(&rule))
	}
	a.agedAccounts(r)
	r.Attestations = a.vouches
	r.Disagreements = append(r.Disagreements, a.disagreeWithCenter()...)
	r.Disagreements = append(r.Disagreements, a.disagreements...)
	sortEvidence(r.Disagreements)
	r.Incomplete = append(r.Incomplete, a.incomplete()...)
	r.Complete = len(r.Incomplete) == 0
	r.Causes = []Cause{}
	if r.Accounts == nil {
		r.Accounts = []Account{}
	}
	if r.Inputs == nil {
		r.Inputs = []evidence.Input{}
	}
	return r
}

// require applies one rule.
func (a *assessor) require(rule *partner.Rule) Requirement {
	return a.settle(rule, judges[rule.ID], true)
}

// settle brings what a judge says of a rule to a row of the report: tempered by what was
// not read, aged, and with the word of whoever attests it, where that counts.
func (a *assessor) settle(rule *partner.Rule, judge func(*assessor) ruling, attestable bool) Requirement {
	standing, why := rule.On(a.o.AsOf, a.o.Kind, a.o.Cloud)
	out := Requirement{
		ID: rule.ID, Title: rule.Title, Level: string(rule.Level), Binding: string(standing),
		Unit: rule.Unit, Source: rule.Source, Evidence: []Evidence{},
	}
	if standing == partner.NotYet || standing == partner.Exempt {
		out.Verdict, out.Reason = NotApplicable, why
		out.Age = Age{AllowedHours: rule.MaxAge.Hours, Why: rule.MaxAge.Why}
		return out
	}
	ru, age := a.aged(rule, a.tempered(judge(a)))
	out.AttestedBy, out.AttestedUntil = ru.by, ru.until
	if attestable {
		ru, out.AttestedBy, out.AttestedUntil = a.attested(rule, ru)
	}
	out.Age = age
	out.Verdict, out.Reason, out.Affected, out.Total, out.Action = ru.verdict, ru.reason, ru.affected, ru.total, ru.action
	sortEvidence(ru.evidence)
	if len(ru.evidence) > MaxEvidence {
		out.More = len(ru.evidence) - MaxEvidence
		ru.evidence = ru.evidence[:MaxEvidence]
	}
	out.Evidence = append(out.Evidence, ru.evidence...)
	return out
}

// sortEvidence puts the newest first, then by subject, detail and place.
func sortEvidence(ev []Evidence) {
	at := func(e *Evidence) int64 {
		if e.Observed == nil {
			return 0
		}
		return e.Observed.UnixNano()
	}
	sort.SliceStable(ev, func(i, j int) bool {
		a, b := &ev[i], &ev[j]
		switch {
		case at(a) != at(b):
			return at(a) > at(b)
		case a.Subject != b.Subject:
			return a.Subject < b.Subject
		case a.Detail != b.Detail:
			return a.Detail < b.Detail
		}
		return a.Source.String() < b.Source.String()
	})
}

// incomplete lists, in sentences, why the report does not see everything that
// was handed in.
func (a *assessor) incomplete() (why []string) {
	var unread, partial, open []string
	for i := range a.Inputs {
		in := &a.Inputs[i]
		if code, ok := refusalOf(in); ok && len(why) < 5 {
			why = append(why, fmt.Sprintf("%s is %s (%s)", in.Path, errorAnswer, code))
			if refused(in) {
				continue
			}
		}
		switch in.Status {
		case evidence.Unreadable:
			unread = append(unread, in.Path)
		case evidence.Partial:
			partial = append(partial, in.Path)
		}
		if in.NextLink {
			open = append(open, in.Path)
		}
	}
	add := func(list []string, one, many string) {
		switch len(list) {
		case 0:
		case 1:
			why = append(why, fmt.Sprintf(one, list[0]))
		default:
			why = append(why, fmt.Sprintf(many, len(list), list[0]))
		}
	}
	add(unread, "%s could not be read", "%d inputs could not be read, %s first")
	add(partial, "%s could only be read in part", "%d inputs could only be read in part, %s first")
	add(open, "%s ends with a link to a further page that is not here", "%d inputs end with a link to a further page that is not here, %s first")
	why = append(why, a.CutSentences()...)
	if len(a.closed) > 0 {
		why = append(why, count(len(a.closed), "group holds a directory role, and not all of its members are in the export",
			"groups hold directory roles, and not all of their members are in the export")+
			"; read GET /groups/{id}/transitiveMembers, every page")
	}
	if n := a.strangers(); n > 0 && a.Extent(evidence.User) == evidence.Absent {
		why = append(why, fmt.Sprintf("%s in no exported list of users, groups or service principals",
			count(n, "holder of a directory role is", "holders of directory roles are")))
	}
	if s := a.SignIns; s != nil && s.OtherAccounts.Rows+s.OtherApps.Rows+s.OtherDays.Rows > 0 {
		why = append(why, "more accounts or apps signed in than are kept apart; the rest are counted together")
	}
	return why
}

// strangers counts principals that hold a role and are in no export: an
// administrator may hide there.
func (a *assessor) strangers() (n int) {
	d := a.Directory
	for id := range a.roles {
		if d.Users[id] == nil && d.Registrations[id] == nil && d.ServicePrincipals[id] == nil && d.PrivilegedUsers[id] == nil && d.Groups[id] == nil &&
			a.account(id) == nil {
			n++
		}
	}
	return n
}

// Failing lists the mandatory, binding requirements that are not met or
// unknown: what makes the exit code 3.
func (r *Report) Failing() []Requirement {
	var out []Requirement
	for _, q := range r.Requirements {
		if q.Level == string(partner.Mandatory) && partner.Standing(q.Binding).Binding() && (q.Verdict == NotMet || q.Verdict == Unknown) {
			out = append(out, q)
		}
	}
	return out
}

// count writes "1 account" or "3 accounts".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// every writes "the one account" or "all 3 accounts".
func every(n int, one, many string) string {
	if n == 1 {
		return "the one " + one
	}
	return fmt.Sprintf("all %d %s", n, many)
}

// ref points at a time when it is set.
func ref(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// list joins names for a sentence: "a, b and 3 more".
func list(names []string, most int) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

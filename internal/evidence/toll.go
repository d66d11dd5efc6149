package evidence

import "time"

// Toll is what it takes to make a request, how far back its answer goes, and how
// an export of it goes wrong.
type Toll struct {
	// Page is how many records one answer holds at most; 0 where Microsoft does
	// not say, or where the answer is one.
	Page int
	// Grows is what the number of requests grows with: "accounts", "sign-ins";
	// "" where one request or a few are enough at any size.
	Grows string
	// Pace is the limit that the service sets; the zero value is not published.
	Pace Pace
	// Least is the number of requests that are made whatever comes back.
	Least int
	// Keeps is how far back the answer goes; "" as things stand at that moment.
	Keeps string
	Traps []Trap
}

// Pace is a limit of a service: so many requests in a time (contracts.md 3.0).
type Pace struct {
	Requests int
	In       time.Duration
	Words    string
}

// Takes is how many requests n records take, and how long Microsoft's limit
// makes that last at least. ok is false where no page size is known, so that
// nobody can say.
func (t *Toll) Takes(r *Request, n int) (requests int, least time.Duration, ok bool) {
	if t.Grows == "" || t.Page == 0 && r.Each == nil {
		return 0, 0, false
	}
	if t.Page > 0 {
		requests = (n + t.Page - 1) / t.Page
	}
	if r.Each != nil {
		requests += n
	}
	requests = max(requests, t.Least, 1)
	if t.Pace.Requests > 0 {
		least = time.Duration(requests) * t.Pace.In / time.Duration(t.Pace.Requests)
	}
	return requests, least, true
}

// Trap is one way in which people export a list and get less than they think.
type Trap struct {
	Done string // what was done: a clause that follows "when"
	Says string // what "export check" says of the file, or the part that is always the same
}

// TollOf is what the request for a kind takes. The traps that all lists in pages
// share come last.
func TollOf(k Kind) Toll {
	t := tolls[k]
	for _, r := range RequestsFor(k) {
		if r.Paged && r.Each == nil && r.Service == Graph {
			t.Traps = append(append([]Trap{}, t.Traps...), onePage)
		}
	}
	return t
}

// The paces that are published.
var (
	reports = Pace{5, 10 * time.Second, "5 requests in 10 seconds for one app in one tenant"}
	policy  = Pace{1, time.Second, "1 request a second for the tenant, all apps together; the refusal (429) does not say how long to wait"}
)

// Traps that several kinds share.
var (
	onePage = Trap{"only the first page was saved", "ends with a link to a further page that is not here"}
	noAll   = Trap{"a cmdlet of the Graph SDK ran without `-All`", "is exactly 100 records long, as the first page of a cmdlet without -All is"}
)

func shallow(member string) Trap {
	return Trap{"the SDK's objects went through `ConvertTo-Json` without `-Depth 10`",
		"lost " + member + " to the export's depth: only the name of a type is left"}
}

// tolls are what the requests take. Sizes and limits are those of contracts.md
// 3.0, 3.1, 3.3 and 2.4; what is not written there stands at zero.
var tolls = map[Kind]Toll{
	ConditionalAccessPolicy: {
		Pace: policy,
		Traps: []Trap{
			{"`ConvertTo-Json` ran without `-Depth 10`", "holds a policy that was cut off by the export's depth"},
			{"v1.0 was asked, and a policy with a preview condition is missing that the log shows at work", "lacks the policy"},
		},
	},
	SecurityDefaults: {},
	NamedLocation:    {Pace: policy, Traps: []Trap{shallow("ipranges")}},
	AuthenticationStrength: {
		Traps: []Trap{shallow("allowedcombinations")},
	},
	AuthenticationMethods: {Traps: []Trap{shallow("authenticationmethodconfigurations")}},
	Organization:          {},
	SubscribedSku: {
		Traps: []Trap{shallow("serviceplans"), {"one licence was asked for", "is one licence, not the list of all"}},
	},
	User: {
		Page: 999, Grows: "accounts",
		Traps: []Trap{
			noAll,
			{"`Get-MsolUser` ran without `-All`", "is exactly 500 records long, as that of Get-MsolUser without -All is"},
			{"one page of 999 was saved without its link", "is exactly 999 records long, as one page of /users is"},
			{"one account was asked for", "is one user, not the list of all users"},
			{"the members of a group were saved in its place", "holds users as members or owners of something, not all users"},
			{"a portal's table without ids was saved, and a policy names accounts or groups by id", "so what is named by id cannot be matched"},
		},
	},
	RegistrationDetails: {
		Grows: "accounts", Pace: reports,
		Traps: []Trap{noAll, shallow("methodsregistered")},
	},
	RoleAssignment: {
		Grows: "role assignments",
		Traps: []Trap{noAll, {"one assignment was asked for", "is one role assignment, not the list of all"}},
	},
	RoleEligibility: {
		Grows: "role assignments",
		Traps: []Trap{noAll, {"one eligible assignment was asked for", "is one eligible assignment, not the list of all"}},
	},
	RoleDefinition: {},
	Group: {
		Page: 999, Grows: "groups, were each of them named",
		Traps: []Trap{
			{"the groups were saved without their members, and a policy names one", "does not show"},
			shallow("members"), noAll,
		},
	},
	GroupEligibility: {
		Traps: []Trap{{"one membership was asked for", "is one eligible membership, not the list of all"}},
	},
	PerUserMFA:       {Page: 999, Grows: "accounts"},
	Application:      {Page: 999, Grows: "apps"},
	ServicePrincipal: {Page: 999, Grows: "apps"},
	SignIn: {
		Page: 1000, Grows: "sign-ins", Pace: reports, Least: 62,
		Keeps: "30 days with Entra ID P1 or P2, 7 days without (in the portal alone). A row is settled minutes to two hours after the sign-in",
		Traps: []Trap{
			{"v1.0 was asked, or AzureADPreview was used", "comes from v1.0 or another form that lacks every field that shows MFA"},
			{"the portal's default range or one week was taken", "less than 30 days"},
			{"only the first list of the portal, or a request without a filter for `signInEventTypes`, was saved",
				"has no non-interactive sign-in: they are asked for apart"},
			{"`Export-Csv` wrote the SDK's objects", "lost in the export how each sign-in ended"},
			{"a script's report stands in its place", "was handed in as a script's report, which cannot show MFA"},
			{"the portal's download was full", "which is where the portal's download stops"},
		},
	},
	UnifiedAuditSignIn: {
		Page: 5000, Grows: "sign-ins",
		Traps: []Trap{
			{"`Search-UnifiedAuditLog` ran with its own size", "has exactly 100 records, which is where Search-UnifiedAuditLog stops"},
			{"it ran with `-ResultSize 5000` and once", "has exactly 5000 records, which is where Search-UnifiedAuditLog stops"},
		},
	},
	SecurityScore:       {Keeps: "as it stands; when it was counted is said in it (`lastRefreshDateTime`)"},
	SecurityRequirement: {Keeps: "as it stands; the average time of answers is over 30 days"},
	SecurityAlert:       {Keeps: "alerts that are active stay, also those since December 2021"},
	CustomerInsight:     {Grows: "customers"},
	Relationship: {
		Grows: "relationships",
		Keeps: "what has expired or was terminated is cleaned up after a year, what nobody approved after 90 days",
		Traps: []Trap{noAll, shallow("accessdetails")},
	},
	AccessAssignment: {Grows: "relationships", Traps: []Trap{shallow("accessdetails")}},
	Customer: {
		Page: 500, Grows: "customers",
		Traps: []Trap{{"only the list was saved, without a request for each customer", "does not say allowDelegatedAccess for"}},
	},
	NonCompliantPrincipal: {Keeps: "10,000 people at most"},
	PartnerRequest:        {Keeps: "7 days, and the newest 10,000 of them"},
}

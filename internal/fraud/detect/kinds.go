package detect

import (
	"strings"
)

// actKind is what an act is, as far as it matters here.
type actKind uint8

// The kinds of acts. Their numbers are kept: new ones go to the end.
const (
	actNone       actKind = iota // nothing that matters
	actMachine                   // a virtual machine is made or changed
	actScaleSet                  // a scale set
	actContainer                 // container instances, container apps and their jobs
	actBatch                     // a Batch account or pool
	actLearning                  // a computer of machine learning
	actCluster                   // a cluster of containers or of data
	actAI                        // a model is put to use
	actGrant                     // a role of Azure is given
	actElevate                   // a Global Administrator takes all subscriptions
	actCredential                // an app gets a secret or a certificate
	actConsent                   // an app gets rights
	actMFA                       // somebody's proofs of identity are changed
	actDirectory                 // a role of the directory is given
	actQuota                     // a quota is to be raised
	actBlinding                  // what would warn or hinder is taken away
	actRisk                      // a sign-in that Microsoft holds for risky
	actSubscribe                 // a subscription is made
	actOther                     // another change
)

// makes reports kinds that make what computes.
func (k actKind) makes() bool { return k >= actMachine && k <= actAI }

// creating are the operations that make what computes, by their lower-case names.
var creating = map[string]actKind{
	"microsoft.compute/virtualmachines/write":                                             actMachine,
	"microsoft.classiccompute/virtualmachines/write":                                      actMachine,
	"microsoft.compute/virtualmachinescalesets/write":                                     actScaleSet,
	"microsoft.containerinstance/containergroups/write":                                   actContainer,
	"microsoft.app/containerapps/write":                                                   actContainer,
	"microsoft.app/jobs/write":                                                            actContainer,
	"microsoft.batch/batchaccounts/write":                                                 actBatch,
	"microsoft.batch/batchaccounts/pools/write":                                           actBatch,
	"microsoft.machinelearningservices/workspaces/write":                                  actLearning,
	"microsoft.machinelearningservices/workspaces/computes/write":                         actLearning,
	"microsoft.machinelearningservices/workspaces/onlineendpoints/write":                  actLearning,
	"microsoft.machinelearningservices/workspaces/jobs/write":                             actLearning,
	"microsoft.containerservice/managedclusters/write":                                    actCluster,
	"microsoft.containerservice/managedclusters/agentpools/write":                         actCluster,
	"microsoft.hdinsight/clusters/write":                                                  actCluster,
	"microsoft.databricks/workspaces/write":                                               actCluster,
	"microsoft.synapse/workspaces/bigdatapools/write":                                     actCluster,
	"microsoft.cognitiveservices/accounts/write":                                          actAI,
	"microsoft.cognitiveservices/accounts/deployments/write":                              actAI,
	"microsoft.authorization/roleassignments/write":                                       actGrant,
	"microsoft.authorization/elevateaccess/action":                                        actElevate,
	"microsoft.quota/quotas/write":                                                        actQuota,
	"microsoft.support/supporttickets/write":                                              actQuota,
	"microsoft.capacity/resourceproviders/locations/servicelimits/write":                  actQuota,
	"microsoft.machinelearningservices/locations/updatequotas/action":                     actQuota,
	"microsoft.machinelearningservices/workspaces/quotas/write":                           actQuota,
	"microsoft.subscription/aliases/write":                                                actSubscribe,
	"microsoft.authorization/roledefinitions/write":                                       actOther,
	"microsoft.authorization/roleeligibilityschedulerequests/write":                       actGrant,
	"microsoft.authorization/roleassignmentschedulerequests/write":                        actGrant,
	"microsoft.managedidentity/userassignedidentities/federatedidentitycredentials/write": actCredential,
}

// guards are the types whose deleting takes away what would warn or hinder.
var guards = []string{"microsoft.authorization/locks/", "microsoft.insights/activitylogalerts/", "microsoft.insights/actiongroups/",
	"microsoft.insights/diagnosticsettings/", "microsoft.insights/metricalerts/", "microsoft.insights/scheduledqueryrules/",
	"microsoft.insights/logprofiles/", "microsoft.authorization/policyassignments/", "microsoft.security/", "microsoft.consumption/budgets/",
	"microsoft.costmanagement/", "microsoft.alertsmanagement/", "microsoft.operationalinsights/workspaces/delete"}

// directoryActs are words of the directory's log, lower case, and what an act with them is.
var directoryActs = []struct {
	words string
	kind  actKind
}{
	{"add service principal credentials", actCredential}, {"certificates and secrets management", actCredential},
	{"add federated identity credential", actCredential}, {"update service principal credentials", actCredential},
	{"consent to application", actConsent}, {"add app role assignment", actConsent}, {"add delegated permission grant", actConsent},
	{"add oauth2permissiongrant", actConsent}, {"security info", actMFA}, {"strong authentication", actMFA}, {"disable per-user mfa", actMFA},
	{"reset password", actMFA}, {"reset user password", actMFA}, {"change user password", actMFA}, {"add eligible member to role", actDirectory},
	{"add member to role", actDirectory}, {"add owner to application", actCredential}, {"add owner to service principal", actCredential},
	{"conditional access policy", actBlinding}, {"elevate", actElevate}, {"add service principal", actOther}, {"add application", actOther},
}

// classify says what kind of act a row is of.
func classify(e *Event) actKind {
	op := strings.ToLower(strings.TrimSpace(e.Operation))
	switch {
	case e.Log == SignIns:
		if risk(e) > 0 {
			return actRisk
		}
		return actNone
	case e.Log == Directory || strings.ContainsRune(op, ' ') && !strings.Contains(op, "/"):
		for _, d := range directoryActs {
			if strings.Contains(op, d.words) {
				return d.kind
			}
		}
		return actNone
	}
	if k, ok := creating[op]; ok {
		return k
	}
	if strings.Contains(op, "/quota") && strings.HasSuffix(op, "/write") || strings.HasSuffix(op, "/servicelimits/write") {
		return actQuota
	}
	if strings.HasSuffix(op, "/delete") {
		for _, g := range guards {
			if strings.HasPrefix(op, g) {
				return actBlinding
			}
		}
		return actOther
	}
	if strings.HasSuffix(op, "/write") || strings.HasSuffix(op, "/action") {
		return actOther
	}
	return actNone
}

// risk is what Microsoft holds of a sign-in: 0 nothing, 1 some, 2 a high risk.
func risk(e *Event) int32 {
	switch strings.ToLower(e.Risk) {
	case "high", "confirmedcompromised", "atrisk":
		return 2
	case "medium":
		return 1
	}
	return 0
}

// role is a role that was given, by what can be done with it.
type role uint8

// The roles.
const (
	roleNone  role = iota
	roleSmall      // another one
	roleWrite      // it makes things
	roleOwner      // it gives rights
)

// strong are the template ids of Azure's roles that matter here.
//
// Source: Microsoft Learn, "Azure built-in roles".
var strong = map[string]role{
	"8e3af657-a8ff-443c-a75c-2fe8c4bcb635": roleOwner, // Owner
	"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": roleOwner, // User Access Administrator
	"f58310d9-a9f6-439a-9e8d-f62e7b41a168": roleOwner, // Role Based Access Control Administrator
	"b24988ac-6180-42a0-ab88-20f7382dd24c": roleWrite, // Contributor
	"9980e02c-c2be-4d73-94e8-173b1dc7cf3c": roleWrite, // Virtual Machine Contributor
	"owner":                                roleOwner,
	"user access administrator":            roleOwner,
	"contributor":                          roleWrite,
	"virtual machine contributor":          roleWrite,
}

func roleOf(id string) role {
	id = strings.ToLower(strings.TrimSpace(id))
	if id == "" {
		return roleNone
	}
	if r, ok := strong[id]; ok {
		return r
	}
	return roleSmall
}

// failure is why an act failed.
type failure uint8

// The failures.
const (
	failNone  failure = iota
	failOther         // it made nothing
	failQuota         // there was no room: quota, size or region
)

func failureOf(code string) failure {
	low := strings.ToLower(code)
	for _, w := range []string{"quota", "skunotavailable", "allocationfailed", "limitexceeded", "overconstrained", "notavailableforsubscription"} {
		if strings.Contains(low, w) {
			return failQuota
		}
	}
	return failOther
}

// bad reports a status of an act that did not come about.
func bad(status string) bool {
	low := strings.ToLower(status)
	return strings.HasPrefix(low, "fail") || low == "failure" || strings.HasPrefix(low, "cancel") || low == "clienterror"
}

// good says that a row tells of a success.
func good(status string) bool {
	low := strings.ToLower(status)
	return strings.HasPrefix(low, "succe") || low == "ok" || low == "created"
}

// family is what kind of use a meter counts.
type family uint8

// The families. Their numbers are kept.
const (
	famOther    family = iota
	famMachine         // virtual machines
	famGPU             // those with GPUs
	famServices        // container instances, Batch, machine learning
	famAI              // models that are used
	famStorage
	famNetwork // traffic that leaves
)

// computes reports use of what computes.
func (f family) computes() bool { return f >= famMachine && f <= famAI }

// familyOf says what a line of use counts, and of a machine its size.
func familyOf(u *Usage) (family, size) {
	cat, service := strings.ToLower(u.Category), strings.ToLower(u.Service)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(cat, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("virtual machines") || cat == "" && service == "microsoft.compute" || has("cloud services"):
		if has("licens") {
			return famOther, size{}
		}
		z := parseSize(u.Size)
		if z.name == "" {
			z = parseSize(u.Name)
		}
		if z.gpus > 0 {
			return famGPU, z
		}
		return famMachine, z
	case has("container instances", "container apps", "azure container", "batch", "machine learning", "databricks", "hdinsight", "kubernetes"):
		z := parseSize(u.Size)
		if z.gpus > 0 {
			return famGPU, z
		}
		return famServices, z
	case service == "microsoft.containerinstance" || service == "microsoft.batch" || service == "microsoft.machinelearningservices":
		return famServices, parseSize(u.Size)
	case has("cognitive", "openai", "foundry", "azure ai"):
		return famAI, size{}
	case has("storage") || service == "microsoft.storage":
		return famStorage, size{}
	case has("bandwidth", "content delivery", "virtual network", "load balancer", "nat gateway"):
		return famNetwork, size{}
	}
	return famOther, size{}
}

// usable reports a line that is use: no purchase ahead, no rounding, no giving back.
func usable(u *Usage) bool {
	for _, s := range []string{u.Charge, u.Category, u.Product} {
		low := strings.ToLower(s)
		for _, w := range []string{"refund", "credit", "adjust", "reservation", "reserved", "savings plan", "purchase", "rounding", "tax"} {
			if strings.Contains(low, w) && !(w == "credit" || w == "tax" || w == "reserved") {
				return false
			}
			if strings.Contains(low, w) && s == u.Charge {
				return false
			}
		}
	}
	return true
}

// rates are how many US dollars a currency is worth, about: an anomaly is a matter of its size,
// and the same currency is compared with itself.
//
// Source: yearly averages of the European Central Bank's reference rates, rounded, 2025.
var rates = map[string]float64{"USD": 1, "EUR": 1.13, "GBP": 1.32, "CHF": 1.2, "AUD": 0.64, "CAD": 0.72, "NZD": 0.58, "JPY": 0.0067, "CNY": 0.139,
	"INR": 0.0115, "BRL": 0.18, "MXN": 0.052, "ZAR": 0.056, "SEK": 0.102, "NOK": 0.096, "DKK": 0.151, "PLN": 0.266, "CZK": 0.0455, "HUF": 0.0028,
	"RON": 0.225, "TRY": 0.025, "KRW": 0.0007, "TWD": 0.032, "SGD": 0.765, "HKD": 0.128, "THB": 0.0305, "IDR": 0.00006, "MYR": 0.233, "PHP": 0.0174,
	"AED": 0.272, "SAR": 0.267, "ILS": 0.29, "ISK": 0.0078, "RUB": 0.012, "UAH": 0.024, "CLP": 0.00105, "COP": 0.00025, "VND": 0.000038}

func rate(currency string) float64 {
	if r, ok := rates[strings.ToUpper(strings.TrimSpace(currency))]; ok {
		return r
	}
	return 1
}

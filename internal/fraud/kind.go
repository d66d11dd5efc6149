package fraud

import "strings"

// Kind is what an alert is about, over the names that Microsoft gave it in the years.
type Kind string

// The kinds that are known (contracts.md section 7.4); the list is not complete.
const (
	CryptoMining Kind = "cryptoMining"
	Machines     Kind = "machines"    // virtual machines or scale sets
	Batch        Kind = "batch"       // Azure Batch
	Containers   Kind = "containers"  // container instances
	Learning     Kind = "learning"    // machine learning
	Consumption  Kind = "consumption" // anomalous use
	Operations   Kind = "operations"  // suspicious operations
	Quota        Kind = "quota"
	Advisory     Kind = "advisory" // service health
)

// kinds are the names of alertType and eventType without case and marks: those since
// May 2024, and those of before.
var kinds = map[string]Kind{
	"armanomalousresourceconsumption": Consumption, "armsuspiciousoperations": Operations, "vmanomalousdeployment": Machines,
	"azurebatchanomalousdeployment": Batch, "azurecontainerinstancesanomalousdeployment": Containers,
	"azuremachinelearninganomalousdeployment": Learning, "cryptomining": CryptoMining,

	"networkconnectionstocryptominingpools": CryptoMining, "usageanomalydetection": Consumption, "virtualmachinedeploymentanomaly": Machines,
	"multiregionvirtualmachinescalesetdeploymentanomaly": Machines, "multiregionmachinelearningusageanomaly": Learning,
	"servicehealthsecurityadvisory": Advisory,
}

// KindOf is the kind of a raw alertType or eventType; "" for one that is not known, which is
// shown raw. Names of quotas are not published: whatever says quota is one.
func KindOf(raw string) Kind {
	name := bare(raw)
	if k, known := kinds[name]; known {
		return k
	}
	if strings.Contains(name, "quota") {
		return Quota
	}
	return ""
}

// bare is a name without case and marks.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// Words say a kind to people; the raw type where it is not known.
func (a *Alert) Words() string {
	switch a.Kind {
	case CryptoMining:
		return "mining of coins"
	case Machines:
		return "unusual virtual machines"
	case Batch:
		return "unusual Azure Batch"
	case Containers:
		return "unusual container instances"
	case Learning:
		return "unusual machine learning"
	case Consumption:
		return "unusual use"
	case Operations:
		return "suspicious operations"
	case Quota:
		return "quotas"
	case Advisory:
		return "service health advisory"
	}
	return a.Type
}

// Cause names what alerts of a storm have in common: customer, subscription and kind.
func (a *Alert) Cause() string {
	kind := string(a.Kind)
	if kind == "" {
		kind = bare(a.Type)
	}
	return a.Customer + "/" + a.Subscription + "/" + kind
}

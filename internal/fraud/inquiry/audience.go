//go:build !judge

package inquiry

// Whom a report is for.
const (
	ForCustomer = "customer"
	ForInsurer  = "insurer"
	ForPolice   = "police"
)

// Audiences are those that a report is made for.
func Audiences() []string { return []string{ForCustomer, ForInsurer, ForPolice} }

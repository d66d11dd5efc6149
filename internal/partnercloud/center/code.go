package center

import (
	"strconv"

	"partnerguard/internal/entra"
)

// deny refuses with one of Microsoft's codes: status and text stand in the house's
// table (entra.CenterCodes), args are the request's particulars.
func deny(code int, args ...any) *fault {
	c, ok := entra.FindCenterCode(code)
	if !ok {
		panic("center: code " + strconv.Itoa(code) + " stands in no table") // a mistake of ours: TestCodes finds it
	}
	return refuse(c.Status, c.Code, "%s", c.Say(args...))
}

package access

// The device axes that every engine has, for [SignIn.Device] and
// [Engine.SetAxis].
const (
	AxisCompliant    = "compliant device"
	AxisJoined       = "joined device"
	AxisApprovedApp  = "approved app"
	AxisProtectedApp = "protected app"
)

// Tenant is what the engine was compiled from; it must not be changed.
func (e *Engine) Tenant() *Tenant { return e.tenant }

// Dimensions is how many classes a [Point] has.
func (e *Engine) Dimensions() int { return len(e.dims) }

// SetAxis fills in a device axis of located classes. An axis the engine does
// not have is ignored: no policy asks for it.
func (e *Engine) SetAxis(classes []int32, axis string, on bool) {
	l := -1
	switch axis {
	case AxisCompliant:
		l = int(dimCompliant)
	case AxisJoined:
		l = int(dimJoined)
	case AxisApprovedApp:
		l = int(dimApprovedApp)
	case AxisProtectedApp:
		l = int(dimCompliantApp)
	}
	if l >= 0 && l < len(classes) {
		classes[l] = e.axisClass[l-int(dimCompliant)][0]
		if on {
			classes[l] = e.axisClass[l-int(dimCompliant)][1]
		}
	}
}

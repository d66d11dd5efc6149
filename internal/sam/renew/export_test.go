package renew

import (
	"context"
	"time"
)

// What tests outside the package look at.
var (
	NextAfterTrouble = nextAfterTrouble
	NextAfterSuccess = nextAfterSuccess
)

type Pace struct{ p *pace }

func NewPace(perSecond float64) Pace          { return Pace{newPace(perSecond, nil)} }
func (p Pace) Wait(ctx context.Context) error { return p.p.wait(ctx) }
func (p Pace) Saw(err error)                  { p.p.saw(err) }
func (p Pace) PerSecond() float64             { return float64(p.p.lim.Limit()) }
func (p Pace) Pause() time.Duration           { return time.Until(p.p.until) }

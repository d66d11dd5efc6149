// Package fraud owns what Microsoft's alerts about Azure fraud say, whichever of its
// interfaces told them, and the clock that runs on each: the hour of the guidance, the
// 24 hours of the duty, and the average of 30 days.
//
// It is pure: it reads bytes and times it is given. Keeping alerts is of room desk, our own
// eyes of room detect, stopping the bleeding of room contain.
//
// Sources: contracts.md sections 2.9, 3.13 and 7.4, contracts-2026-11.md section 4.
package fraud

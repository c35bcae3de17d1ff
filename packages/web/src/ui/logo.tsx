import type { ReactNode } from "react";

/** The mark: three copies that hold each other. */
export function Logo({ size = 24 }: { readonly size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="7" fill="var(--accent)" />
      <path d="M16 9.5 9 21.5h14z" fill="none" stroke="var(--on-accent)" strokeWidth="2.2" strokeLinejoin="round" />
      <g fill="var(--on-accent)">
        <circle cx="16" cy="9.5" r="3.4" />
        <circle cx="9" cy="21.5" r="3.4" />
        <circle cx="23" cy="21.5" r="3.4" />
      </g>
    </svg>
  );
}

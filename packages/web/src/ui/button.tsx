import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import styles from "./button.module.css";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: "plain" | "primary" | "danger" | "quiet";
  readonly size?: "normal" | "large";
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A button with a verb on it. */
export function Button({
  look = "plain",
  size = "normal",
  className = "",
  type = "button",
  ...rest
}: ButtonProps): ReactNode {
  const classes = [
    styles["button"],
    look === "plain" ? "" : styles[look],
    size === "large" ? styles["large"] : "",
    className,
  ];
  return <button type={type} className={classes.join(" ")} {...rest} />;
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does; read aloud and shown as a tooltip. */
  readonly label: string;
  /** Shown behind the label in the tooltip. */
  readonly shortcut?: string;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A square button with an icon; its label is its name and its tooltip. */
export function IconButton({ label, shortcut, className = "", ...rest }: IconButtonProps): ReactNode {
  const tip = shortcut === undefined ? label : `${label}  ${shortcut}`;
  return (
    <button type="button" aria-label={label} data-tip={tip} className={`${styles["icon"]} ${className}`} {...rest} />
  );
}

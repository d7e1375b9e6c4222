/** Whether this is the development build, which looks for mistakes in how the package is used; replaced by the bundler of this package. */
declare const DEVELOPMENT: boolean;
